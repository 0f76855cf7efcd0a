import { z } from 'zod';
import { TOKEN_CHARS_MAX } from '../accounts/account.contract.js';
import { SocketErrorSchema } from '../errors/error.contract.js';
import {
  ClientMsgIdSchema,
  ConversationIdSchema,
  DeviceIdSchema,
  MessageIdSchema,
  TimeSchema,
} from '../primitives/ids.js';

const token = z.string().min(1).max(TOKEN_CHARS_MAX);

/** `auth` of the Socket.IO handshake. */
export const HandshakeSchema = z.strictObject({ token, deviceId: DeviceIdSchema }).meta({ id: 'Handshake' });
export type Handshake = z.infer<typeof HandshakeSchema>;

export const AuthenticateSchema = z
  .strictObject({ token })
  .meta({ id: 'Authenticate', examples: [{ token: 'a fresh access token' }] });
export const AuthenticatedSchema = z.object({ expiresAt: TimeSchema }).meta({ id: 'Authenticated' });

export const HeartbeatSchema = z
  .strictObject({ active: z.boolean() })
  .meta({ id: 'Heartbeat', examples: [{ active: true }] });
export const HeartbeatAnswerSchema = z.object({ serverTime: TimeSchema }).meta({ id: 'HeartbeatAnswer' });

export const TokenExpiringSchema = z.object({ expiresAt: TimeSchema }).meta({ id: 'TokenExpiring' });
export const ResyncSchema = z.object({}).meta({ id: 'Resync' });

export const CLOSING_CODES = [
  'draining',
  'token_expired',
  'session_revoked',
  'slow_consumer',
  'rate_limited',
  'heartbeat_missed',
] as const;
export const ClosingSchema = z
  .object({
    code: z.enum(CLOSING_CODES),
    reconnect: z.enum(['now', 'with_new_token', 'never']),
    afterMs: z.int().min(0),
    url: z.string().optional(),
  })
  .meta({ id: 'Closing', examples: [{ code: 'draining', reconnect: 'now', afterMs: 800 }] });
export type Closing = z.infer<typeof ClosingSchema>;

/** How a send that was answered `accepted` ended. */
export const AckEventSchema = z
  .object({
    clientMsgId: ClientMsgIdSchema,
    conversationId: ConversationIdSchema,
    status: z.enum(['stored', 'rejected']),
    messageId: MessageIdSchema.optional(),
    seq: z.int().optional(),
    rev: z.int().optional(),
    timestamp: TimeSchema.optional(),
    error: SocketErrorSchema.optional(),
  })
  .meta({ id: 'AckEvent' });
export type AckEvent = z.infer<typeof AckEventSchema>;

export const ConnectQuerySchema = z.strictObject({ region: z.string().min(1).max(64).optional() });
export type ConnectQuery = z.infer<typeof ConnectQuerySchema>;

export const ConnectAnswerSchema = z
  .object({ url: z.string(), path: z.string(), fallbackUrls: z.array(z.string()) })
  .meta({ id: 'ConnectAnswer', examples: [{ url: 'http://127.0.0.1:3000', path: '/socket.io', fallbackUrls: [] }] });
export type ConnectAnswer = z.infer<typeof ConnectAnswerSchema>;
