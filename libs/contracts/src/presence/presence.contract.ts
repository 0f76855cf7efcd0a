import { z } from 'zod';
import { TimeSchema, UserIdSchema } from '../primitives/ids.js';
import { pageSchema } from '../primitives/paging.js';

/** Users of one request; and users that one socket is subscribed to, of all its requests together. */
export const PRESENCE_USERS_MAX = 500;

export const PresenceStatusSchema = z.enum(['online', 'idle', 'offline']).meta({ id: 'PresenceStatus' });
export type PresenceStatus = z.infer<typeof PresenceStatusSchema>;

const example = { userId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b92', status: 'online', lastSeen: null } as const;

export const PresenceSchema = z
  .object({
    userId: UserIdSchema,
    status: PresenceStatusSchema,
    lastSeen: TimeSchema.nullable().meta({
      description: 'When the last device went, of somebody who is offline; null while that is unknown or not shown',
    }),
  })
  .meta({ id: 'Presence', examples: [example] });
export type Presence = z.infer<typeof PresenceSchema>;

const userIds = z.array(UserIdSchema).max(PRESENCE_USERS_MAX);

export const PresenceUsersSchema = z
  .strictObject({ userIds })
  .meta({ id: 'PresenceUsers', examples: [{ userIds: [example.userId] }] });
export type PresenceUsers = z.infer<typeof PresenceUsersSchema>;

/** In the order in which they were asked for, each once. */
export const PresencesSchema = z
  .object({ presences: z.array(PresenceSchema) })
  .meta({ id: 'Presences', examples: [{ presences: [example] }] });
export type Presences = z.infer<typeof PresencesSchema>;

export const PresenceListSchema = pageSchema('PresenceList', PresenceSchema);
