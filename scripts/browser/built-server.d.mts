export interface BuiltServer {
  readonly url: string;
  stop(): Promise<void>;
}

export function startBuiltServer(settings?: Readonly<Record<string, string>>): Promise<BuiltServer>;
