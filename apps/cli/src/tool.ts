import type { AppConfig } from '@parley/infra';

/** What every command is given. */
export interface Tool {
  config: AppConfig;
  /** A line on the standard output. */
  say: (line: string) => void;
}
