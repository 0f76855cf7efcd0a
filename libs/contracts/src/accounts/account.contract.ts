import { z } from 'zod';
import { DeviceIdSchema } from '../primitives/ids.js';
import { DisplayNameSchema } from '../primitives/text.js';
import { UserSchema } from '../users/user.contract.js';

export const PASSWORD_CHARS_MIN = 8;
export const PASSWORD_CHARS_MAX = 128;
export const TOKEN_CHARS_MAX = 8_192;

export const UsernameSchema = z
  .string()
  .regex(/^[a-z0-9_.-]{3,32}$/, '3 to 32 of a-z 0-9 _ . -')
  .meta({ id: 'Username', examples: ['ada'] });

// Length is checked before anything is hashed, so a 10 MB password costs nothing.
export const PasswordSchema = z
  .string()
  .min(PASSWORD_CHARS_MIN)
  .max(PASSWORD_CHARS_MAX)
  .meta({ id: 'Password', format: 'password', examples: ['correct horse battery'] });

export const SignupSchema = z
  .strictObject({ username: UsernameSchema, password: PasswordSchema, displayName: DisplayNameSchema })
  .meta({
    id: 'Signup',
    examples: [{ username: 'ada', password: 'correct horse battery', displayName: 'Ada Lovelace' }],
  });
export type Signup = z.infer<typeof SignupSchema>;

/** A login takes any text of bounded length, so that an impossible name answers like a wrong one. */
export const LoginSchema = z
  .strictObject({
    username: z.string().min(1).max(64),
    password: z.string().min(1).max(PASSWORD_CHARS_MAX),
    deviceId: DeviceIdSchema.optional(),
  })
  .meta({ id: 'Login', examples: [{ username: 'ada', password: 'correct horse battery' }] });
export type Login = z.infer<typeof LoginSchema>;

export const RefreshTokenSchema = z
  .strictObject({ refreshToken: z.string().min(1).max(TOKEN_CHARS_MAX) })
  .meta({ id: 'RefreshToken', examples: [{ refreshToken: 'opaque' }] });
export type RefreshToken = z.infer<typeof RefreshTokenSchema>;

export const SessionSchema = z
  .object({
    user: UserSchema,
    accessToken: z.string(),
    refreshToken: z.string(),
    expiresIn: z.int().meta({ description: 'Seconds until the access token runs out' }),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof SessionSchema>;
