import { navigate } from '../routing/use-route.js';
import { pushRegistration } from './push-subscription.js';

export interface MessageNotification {
  readonly conversationId: string;
  readonly seq: number;
  readonly title: string;
  readonly body: string;
}

/** Not every browser takes the SVG here. */
const ICON = '/icon-192.png';
const OWN_MAX = 100;

/** Those that no worker shows, by their tag. */
const own = new Map<string, Notification>();

/** The same as in pushes of the server, so that one takes the place of the other. */
const tagOf = (conversationId: string): string => conversationId.replaceAll('-', '');

/** One for each conversation, whichever of several open tabs tells it; a click opens the conversation. */
export async function showNotification({ conversationId, seq, title, body }: MessageNotification): Promise<void> {
  const options = { body, tag: tagOf(conversationId), icon: ICON, data: { conversationId, seq } };
  try {
    const registration = await pushRegistration();
    if (registration?.active) return await registration.showNotification(title, options);
    const notification = new Notification(title, options);
    keep(options.tag, notification);
    notification.onclick = () => {
      window.focus();
      navigate({ name: 'conversation', conversationId });
      notification.close();
    };
  } catch {
    // Some phones show notifications of service workers only.
  }
}

function keep(tag: string, notification: Notification): void {
  own.delete(tag);
  own.set(tag, notification);
  const [oldest] = own.keys();
  if (own.size > OWN_MAX && oldest !== undefined) own.delete(oldest);
}

/** Takes away what is shown of a conversation. */
export async function closeNotification(conversationId: string): Promise<void> {
  const tag = tagOf(conversationId);
  own.get(tag)?.close();
  own.delete(tag);
  const registration = await pushRegistration();
  const shown = await registration?.getNotifications({ tag }).catch(() => []);
  for (const notification of shown ?? []) notification.close();
}
