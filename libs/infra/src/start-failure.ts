import type { AppConfig } from './config/configuration.js';
import { ConfigurationError } from './config/load-configuration.js';

/** Why the server is not ready, in a sentence for whoever typed the command. */
export function explainFailure(error: unknown, config?: AppConfig): string {
  if (error instanceof ConfigurationError) return error.message;
  const { code, message, syscall, port } = error as NodeJS.ErrnoException & { port?: number };
  if (syscall === 'listen' && config) {
    const variable = port === config.metrics.port ? 'METRICS_PORT' : 'PORT';
    if (code === 'EADDRINUSE') {
      return `Port ${port} of ${config.http.host} is in use by another process: stop that one, or set ${variable}.`;
    }
    if (code === 'EACCES')
      return `Port ${port} needs more rights than this process has: set ${variable} to one above 1023.`;
    if (code === 'EADDRNOTAVAIL')
      return `This machine has no address ${config.http.host}: set HOST to one that it has.`;
  }
  if (syscall === 'getaddrinfo' && config && code === 'ENOTFOUND' && message.endsWith(` ${config.http.host}`)) {
    return `HOST is ${config.http.host}, and no address is known for that name.`;
  }
  if (config?.database.url !== undefined && isDatabaseFailure(code)) {
    return `The database that DATABASE_URL names cannot be used: ${withoutPassword(message, config.database.url)} (${code}).`;
  }
  return `Parley could not start: ${message || String(error)}`;
}

/** Of the network, or an SQLSTATE about logging in (28), the database's name (3D) or the server's state (53, 57). */
function isDatabaseFailure(code: string | undefined): boolean {
  return /^(ECONNREFUSED|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|ECONNRESET|EAI_AGAIN|ENOENT|(28|3D|53|57)...)$/.test(
    code ?? '',
  );
}

function withoutPassword(message: string, databaseUrl: string): string {
  const { password } = new URL(databaseUrl);
  return password === '' ? message : message.replaceAll(password, '…').replaceAll(decodeURIComponent(password), '…');
}
