export * from './set-typing/set-typing.command.js';
