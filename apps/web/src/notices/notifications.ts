import type { Conversation } from '@parley/sdk';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { conversationTitle, isMuted } from '../conversations/conversation-title.js';
import { previewOf } from '../conversations/preview.js';
import { navigate } from '../routing/use-route.js';
import { useSignedIn } from '../state/signed-in.js';

const KEY = 'parley.notifications';

/** Whether the user wants them here, the browser can show them, and it was not forbidden. */
export function areNotificationsOn(): boolean {
  return 'Notification' in window && Notification.permission === 'granted' && localStorage.getItem(KEY) !== 'off';
}

/** @returns whether they are on now: the browser may ask the user, who may refuse */
export async function turnNotifications(on: boolean): Promise<boolean> {
  localStorage.setItem(KEY, on ? 'on' : 'off');
  if (on && 'Notification' in window && Notification.permission === 'default') await Notification.requestPermission();
  return areNotificationsOn();
}

/** Tells of messages that come while nobody looks: another conversation is open, or another window. */
export function useMessageNotifications(openId: string | null): void {
  const { client, people } = useSignedIn();
  const open = useRef(openId);
  open.current = openId;
  useEffect(() => {
    const seen = new Map(client.conversations.map(({ conversationId, lastSeq }) => [conversationId, lastSeq]));
    // What has come before this page was there is news to nobody.
    let isSynced = client.connectionState.status === 'connected';
    const look = (conversations: readonly Conversation[]): void => {
      for (const conversation of conversations) {
        const { conversationId, lastSeq } = conversation;
        const isNews = lastSeq > (seen.get(conversationId) ?? 0);
        seen.set(conversationId, lastSeq);
        if (!isNews || !isSynced || !isWorthATell(conversation, open.current, client.userId)) continue;
        const { senderId = '' } = conversation.lastMessage ?? {};
        tell(conversation, conversationTitle(conversation, client.userId), people.nameOf(senderId) ?? '');
      }
      isSynced ||= client.connectionState.status === 'connected';
    };
    return client.on('conversations', look);
  }, [client, people]);
}

function isWorthATell(conversation: Conversation, openId: string | null, selfId: string): boolean {
  const { lastMessage, unreadCount, conversationId, settings } = conversation;
  if (!lastMessage || lastMessage.senderId === selfId || unreadCount === 0) return false;
  if (settings.archived || isMuted(conversation)) return false;
  const isLookedAt = conversationId === openId && document.visibilityState === 'visible' && document.hasFocus();
  return !isLookedAt && areNotificationsOn();
}

function tell(conversation: Conversation, title: string, senderName: string): void {
  const text = previewOf(conversation) ?? '';
  const body = conversation.type === 'group' && senderName !== '' ? `${senderName}: ${text}` : text;
  try {
    // One for each conversation, whichever of several open tabs tells it.
    const notification = new Notification(title, { body, tag: conversation.conversationId, icon: '/favicon.svg' });
    notification.onclick = () => {
      window.focus();
      navigate({ name: 'conversation', conversationId: conversation.conversationId });
      notification.close();
    };
  } catch {
    // Some phones show notifications of service workers only.
  }
}

/** The number of unread messages before the name of the page. */
export function useDocumentTitle(): void {
  const { client } = useSignedIn();
  const unread = useSyncExternalStore(
    (changed) => client.on('conversations', changed),
    () => client.unreadCount,
  );
  useEffect(() => {
    document.title = unread > 0 ? `(${unread > 99 ? '99+' : unread}) Parley` : 'Parley';
    return () => {
      document.title = 'Parley';
    };
  }, [unread]);
}
