import type { Conversation } from '@parley/sdk';
import { useEffect, useRef } from 'react';
import { conversationTitle, isMuted } from '../conversations/conversation-title.js';
import { previewOf } from '../conversations/preview.js';
import { useSignedIn } from '../state/signed-in.js';
import { areNotificationsOn } from './notification-setting.js';
import { closeNotification, showNotification } from './shown-notifications.js';

/** Tells of messages that come while nobody looks: another conversation is open, or another window. */
export function useMessageNotifications(openId: string | null): void {
  const { client, people } = useSignedIn();
  const open = useRef(openId);
  open.current = openId;
  useEffect(() => {
    const seen = new Map(client.conversations.map(({ conversationId, lastSeq }) => [conversationId, lastSeq]));
    const unread = new Set<string>();
    // What has come before this page was there is news to nobody.
    let isSynced = client.connectionState.status === 'connected';
    const look = (conversations: readonly Conversation[]): void => {
      for (const conversation of conversations) {
        const { conversationId, lastSeq } = conversation;
        const isNews = lastSeq > (seen.get(conversationId) ?? 0);
        seen.set(conversationId, lastSeq);
        if (conversation.unreadCount > 0) unread.add(conversationId);
        else if (unread.delete(conversationId)) void closeNotification(conversationId);
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
  const { conversationId, lastSeq } = conversation;
  const text = previewOf(conversation) ?? '';
  const body = conversation.type === 'group' && senderName !== '' ? `${senderName}: ${text}` : text;
  void showNotification({ conversationId, seq: lastSeq, title, body });
}
