import { z } from 'zod';
import { MediaIdSchema, TimeSchema, UserIdSchema } from '../primitives/ids.js';
import { CursorSchema, pageSchema, QueryLimitSchema } from '../primitives/paging.js';
import { DisplayNameSchema, STATUS_TEXT_CODE_POINTS_MAX, textSchema } from '../primitives/text.js';

export const UserSchema = z
  .object({
    userId: UserIdSchema,
    username: z.string(),
    displayName: z.string(),
    avatarUrl: z.string().nullable(),
    statusText: z.string().nullable(),
    createdAt: TimeSchema,
    presenceHidden: z.boolean().optional().meta({ description: 'Only in the answer about oneself' }),
    pushPreview: z.boolean().optional().meta({ description: 'Only in the answer about oneself' }),
  })
  .meta({
    id: 'User',
    examples: [
      {
        userId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90',
        username: 'ada',
        displayName: 'Ada Lovelace',
        avatarUrl: null,
        statusText: null,
        createdAt: '2026-11-22T10:00:00.000Z',
      },
    ],
  });
export type User = z.infer<typeof UserSchema>;

export const UserListSchema = pageSchema('UserList', UserSchema);

export const UpdateMeSchema = z
  .strictObject({
    displayName: DisplayNameSchema.optional(),
    avatarMediaId: MediaIdSchema.nullable().optional(),
    statusText: textSchema(STATUS_TEXT_CODE_POINTS_MAX, { mayBeEmpty: true }).nullable().optional(),
    presenceHidden: z.boolean().optional(),
    pushPreview: z.boolean().optional(),
  })
  .meta({ id: 'UpdateMe', examples: [{ displayName: 'Ada', statusText: 'computing' }] });
export type UpdateMe = z.infer<typeof UpdateMeSchema>;

export const USER_SEARCH_CHARS_MAX = 64;

export const SearchUsersQuerySchema = z.strictObject({
  search: textSchema(USER_SEARCH_CHARS_MAX).meta({ description: 'Prefix of a user name or display name' }),
  cursor: CursorSchema.optional(),
  limit: QueryLimitSchema,
});
export type SearchUsersQuery = z.infer<typeof SearchUsersQuerySchema>;
