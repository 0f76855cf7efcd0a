import { randomBytes, randomUUID } from 'node:crypto';
import {
  ConversationSchema,
  MessagePageSchema,
  MessageSchema,
  ReadMarkSchema,
  SessionSchema,
  SyncAnswerSchema,
  type Conversation,
  type Message,
  type MessagePage,
  type ReadMark,
  type Session,
  type SyncAnswer,
} from '@parley/contracts';
import { RestClient } from './rest-client.js';
import { TestSocket } from './test-socket.js';

/** Each waits for as long as the server does. */
const SETTLED_TRIES_MAX = 5;

export const PASSWORD = 'correct horse battery';

export function freshName(prefix = 'user'): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}

/** Somebody who signed up, with the calls that most tests make on the way to what they are about. */
export class TestUser {
  readonly rest: RestClient;
  readonly sockets: TestSocket[] = [];

  private constructor(
    readonly baseUrl: string,
    readonly session: Session,
  ) {
    this.rest = new RestClient(baseUrl, session.accessToken);
  }

  static async signUp(baseUrl: string, displayName = 'Ada', username = freshName()): Promise<TestUser> {
    const body = { username, password: PASSWORD, displayName };
    return new TestUser(
      baseUrl,
      await new RestClient(baseUrl).want(201, SessionSchema, 'POST', '/v1/auth/signup', body),
    );
  }

  get userId(): string {
    return this.session.user.userId;
  }

  get username(): string {
    return this.session.user.username;
  }

  async connect(deviceId: string = randomUUID()): Promise<TestSocket> {
    const socket = await TestSocket.connect(this.baseUrl, { token: this.rest.token, deviceId });
    this.sockets.push(socket);
    return socket;
  }

  async direct(other: TestUser): Promise<Conversation> {
    const body = { type: 'direct', memberIds: [other.userId] };
    return this.rest.want(201, ConversationSchema, 'POST', '/v1/conversations', body);
  }

  async group(others: readonly TestUser[], name: string | null = 'Engine room'): Promise<Conversation> {
    const body = { type: 'group', memberIds: others.map((other) => other.userId), name };
    return this.rest.want(201, ConversationSchema, 'POST', '/v1/conversations', body);
  }

  async conversation(conversationId: string): Promise<Conversation> {
    return this.rest.want(200, ConversationSchema, 'GET', `/v1/conversations/${conversationId}`);
  }

  async members(conversationId: string, change: object): Promise<Conversation> {
    return this.rest.want(200, ConversationSchema, 'PUT', `/v1/conversations/${conversationId}/members`, change);
  }

  async send(conversationId: string, content: string, more: object = {}): Promise<Message> {
    const body = { content, clientMsgId: randomUUID(), ...more };
    const path = `/v1/conversations/${conversationId}/messages`;
    const answer = await this.rest.call('POST', path, { body });
    if (answer.status === 201) return MessageSchema.parse(answer.json);
    if (answer.status !== 202) throw new Error(`POST ${path}: ${answer.status}: ${answer.text.slice(0, 500)}`);
    return this.settled(path, body);
  }

  /** Accepted means that it will be there: asked for again, it is, in a while. */
  private async settled(path: string, body: object): Promise<Message> {
    for (let tries = 0; tries < SETTLED_TRIES_MAX; tries++) {
      const answer = await this.rest.call('POST', path, { body });
      if (answer.status === 200) return MessageSchema.parse(answer.json);
      if (answer.status !== 202) throw new Error(`POST ${path}: ${answer.status}: ${answer.text.slice(0, 500)}`);
    }
    throw new Error(`POST ${path}: accepted, and never stored`);
  }

  /** In their order; each is stored before the next is sent. */
  async sendMany(conversationId: string, count: number, prefix = 'message'): Promise<Message[]> {
    const sent: Message[] = [];
    for (let i = 1; i <= count; i++) sent.push(await this.send(conversationId, `${prefix} ${i}`));
    return sent;
  }

  async message(conversationId: string, messageId: string): Promise<Message> {
    return this.rest.want(200, MessageSchema, 'GET', `/v1/conversations/${conversationId}/messages/${messageId}`);
  }

  async history(conversationId: string, query = ''): Promise<MessagePage> {
    return this.rest.want(200, MessagePageSchema, 'GET', `/v1/conversations/${conversationId}/messages${query}`);
  }

  async read(conversationId: string, lastReadMessageId: string): Promise<ReadMark> {
    return this.rest.want(200, ReadMarkSchema, 'PUT', `/v1/conversations/${conversationId}/read`, {
      lastReadMessageId,
    });
  }

  async sync(request: object = {}): Promise<SyncAnswer> {
    return this.rest.want(200, SyncAnswerSchema, 'POST', '/v1/sync', request);
  }
}
