/**
 * A reason why the bundled database cannot be used that an operator can act on: the message is one or two whole
 * sentences, meant to be printed without a stack trace.
 */
export class EmbeddedPostgresError extends Error {
  override readonly name: string = 'EmbeddedPostgresError';
}

/** Another live process holds the data folder. The message names the folder and, where it is known, the process. */
export class DataDirBusyError extends EmbeddedPostgresError {
  override readonly name = 'DataDirBusyError';
  readonly dataDir: string;
  /** The holder's process id as the holder sees it; undefined when it did not answer in time. */
  readonly holderPid: number | undefined;

  constructor(dataDir: string, holderPid: number | undefined) {
    const holder = holderPid === undefined ? 'another Parley process' : `another Parley process (pid ${holderPid})`;
    super(`The data folder ${dataDir} is in use by ${holder}; stop that one first or set DATA_DIR to another folder.`);
    this.dataDir = dataDir;
    this.holderPid = holderPid;
  }
}

/** The `code` of a system error (`ENOENT`, `EACCES` …), or an empty string for anything else. */
export function systemErrorCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' ? code : '';
}
