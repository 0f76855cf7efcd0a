export * from './argon2-password-hasher.js';
export * from './auth-config.js';
export * from './hmac-cursor-codec.js';
export * from './jose-token-issuer.js';
export * from './jose-token-verifier.js';
