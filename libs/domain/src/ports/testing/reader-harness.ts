import type { ConversationReader } from '../conversation-reader.port.js';
import type { WriteReadModels } from './conversation-world.js';

export interface ReaderHarness {
  reader: ConversationReader;
  /** Writes what one commit of the pipeline writes. */
  write: WriteReadModels;
  addUser(displayName: string): Promise<string>;
  close(): Promise<void>;
}

/** A user who is in nothing. */
export const NOBODY = '00000000-0000-4000-8000-000000000000';
