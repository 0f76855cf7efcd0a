import { constrainedMemory } from 'node:process';
import { totalmem } from 'node:os';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerEndpoint } from './server-endpoint.js';

/** The only role, owner of everything; its password is in the cluster folder. */
export const SERVER_ROLE = 'parley';
/** The database that `initdb` makes anyway. */
export const SERVER_DATABASE = 'postgres';
/** Written anew at each start, so a new version of Parley brings its own settings. */
export const SETTINGS_FILE = 'parley.conf';

const MEGABYTE = 1024 * 1024;
const SHARED_BUFFERS_MB_MIN = 128;
const SHARED_BUFFERS_MB_MAX = 256;

export interface ServerSettings {
  readonly endpoint: ServerEndpoint;
  /** False loses data when the machine stops without warning: for tests alone. */
  readonly fsync: boolean;
}

/**
 * Writes `parley.conf` and `pg_hba.conf` into a cluster folder. An operator's own settings win when they are made
 * with `ALTER SYSTEM`, or stand in `postgresql.conf` below the line that includes `parley.conf`.
 */
export async function writeServerSettings(clusterDir: string, settings: ServerSettings): Promise<void> {
  const lines = Object.entries(settingsOf(settings)).map(([name, value]) => `${name} = ${quote(value)}`);
  const text = ['# Written by Parley at each start; changes belong into postgresql.conf.', ...lines, ''].join('\n');
  await writeFile(join(clusterDir, SETTINGS_FILE), text, { mode: 0o600 });
  const access = ['local all all scram-sha-256', 'host all all 127.0.0.1/32 scram-sha-256', ''].join('\n');
  await writeFile(join(clusterDir, 'pg_hba.conf'), access, { mode: 0o600 });
}

function settingsOf({ endpoint, fsync }: ServerSettings): Record<string, string> {
  const onOff = fsync ? 'on' : 'off';
  return {
    unix_socket_directories: endpoint.kind === 'socket' ? `"${endpoint.socketDir.replaceAll('"', '""')}"` : '',
    unix_socket_permissions: '0700',
    listen_addresses: endpoint.kind === 'tcp' ? '127.0.0.1' : '',
    port: `${endpoint.port}`,
    max_connections: '40',
    // Durability: what is acknowledged is on the disk.
    fsync: onOff,
    full_page_writes: onOff,
    synchronous_commit: onOff,
    // A page's first change after a checkpoint writes the whole page: rare checkpoints keep the log small. The bundled
    // server has pglz compression only, whose CPU time costs more than the bytes it saves.
    wal_compression: 'off',
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    checkpoint_completion_target: '0.9',
    wal_level: 'replica',
    shared_buffers: `${sharedBuffersMb()}MB`,
    work_mem: '8MB',
    maintenance_work_mem: '64MB',
    // Short statements on two cores: compiling them or sharing them out costs more than it gains. Without parallel
    // queries nothing needs /dev/shm either, which is 64 MB in a container.
    jit: 'off',
    max_parallel_workers_per_gather: '0',
    io_method: 'sync',
    random_page_cost: '1.1',
    // Rows that every message rewrites are cleaned by the updates themselves, and no plan rests on statistics: a worker
    // that came every 15 s for each twentieth of a young table took half a core from the messages (measured).
    autovacuum: 'on',
    autovacuum_max_workers: '1',
    autovacuum_naptime: '1min',
    autovacuum_vacuum_scale_factor: '0.1',
    autovacuum_vacuum_insert_threshold: '100000',
    autovacuum_vacuum_insert_scale_factor: '0.2',
    autovacuum_analyze_threshold: '10000',
    autovacuum_analyze_scale_factor: '0.2',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...loggingSettings(),
  };
}

/**
 * What clients send must not reach the log: no statements, no parameters, no row contents in details. Errors of
 * statements are answered to the application, which reports them; the log has the server's own life.
 */
function loggingSettings(): Record<string, string> {
  return {
    logging_collector: 'off',
    log_destination: 'stderr',
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_statement: 'none',
    log_min_duration_statement: '-1',
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
    log_checkpoints: 'on',
    log_line_prefix: '%m [%p] ',
  };
}

function sharedBuffersMb(): number {
  // 0 or an absurdly high figure means that no limit is set.
  const limit = constrainedMemory();
  const memory = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  const eighth = Math.floor(memory / 8 / MEGABYTE);
  return Math.min(SHARED_BUFFERS_MB_MAX, Math.max(SHARED_BUFFERS_MB_MIN, eighth));
}

function quote(value: string): string {
  return `'${value.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
}
