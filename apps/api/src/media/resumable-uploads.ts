import type { IncomingMessage, ServerResponse } from 'node:http';

/** Speaks the tus protocol over a request. Type and DI token in one. */
export abstract class ResumableUploads {
  /**
   * Writes the answer, unless it throws: then nothing is written.
   * @param userId null for a question about the protocol itself
   * @throws DomainError for every refusal
   */
  abstract handle(request: IncomingMessage, response: ServerResponse, userId: string | null): Promise<void>;
}
