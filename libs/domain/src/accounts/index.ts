import { LogInHandler } from './log-in/log-in.handler.js';
import { LogOutHandler } from './log-out/log-out.handler.js';
import { RefreshSessionHandler } from './refresh-session/refresh-session.handler.js';
import { SignUpHandler } from './sign-up/sign-up.handler.js';

export * from './account-store.port.js';
export * from './client-address.js';
export * from './log-in/log-in.command.js';
export * from './log-out/log-out.command.js';
export * from './login-limits.js';
export * from './password-hasher.port.js';
export type * from './principal.js';
export * from './refresh-session/refresh-session.command.js';
export * from './session-revocations.port.js';
export * from './sign-up/sign-up.command.js';
export * from './token-issuer.port.js';
export * from './token-verifier.port.js';

/** For the Nest module of whichever process answers these commands. */
export const ACCOUNT_HANDLERS = [SignUpHandler, LogInHandler, RefreshSessionHandler, LogOutHandler];
