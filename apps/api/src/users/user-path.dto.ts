import { UserIdSchema } from '@parley/contracts';
import { z } from 'zod';

export const UserPathSchema = z.strictObject({ userId: UserIdSchema });
export type UserPath = z.infer<typeof UserPathSchema>;
