import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ErrorCode, Media } from '@parley/contracts';
import { DomainError, type UploadClaims } from '@parley/domain';
import type { DataStore, ERRORS, Server, ServerOptions, Upload } from '@tus/server';
import type { UploadStore } from './tus-stores.js';

export interface TusUploadsOptions {
  /** Of the collection: uploads lie below it. */
  path: string;
  /** Called once, with the first request. */
  openStore: () => Promise<UploadStore>;
  fileBytesMax: number;
  /** Before an upload begins; refuses with a DomainError. */
  admit: (userId: string, sizeBytes: number) => Promise<void>;
  /** When all bytes have come. What it refuses is refused to the client, and the bytes are deleted. */
  finish: (userId: string, claims: UploadClaims, bytes: Readable) => Promise<Media>;
  onTrouble: (what: string, error: unknown) => void;
}

type TusRequest = Parameters<NonNullable<ServerOptions['onIncomingRequest']>>[0];

/** Unfinished uploads of one user. */
export const UNFINISHED_PER_USER_MAX = 20;
const CLEAN_UP_EVERY_MS = 60 * 60_000;
/** How long a request waits for one to the same upload that is still being read. */
const LOCK_DRAIN_MS = 3_000;
const BYTES_TYPE = 'application/offset+octet-stream';
/** As they are named here: the user, and a number of its own. */
const UPLOAD_NAME = /^[0-9a-f-]{36}_[0-9a-f-]{36}$/;

/** Resumable uploads by the tus protocol: what is complete goes the way of every other upload. */
export class TusUploads {
  private opening: Promise<Server> | undefined;
  private readonly callers = new WeakMap<object, string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: TusUploadsOptions) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.deleteExpired().catch((error: unknown) =>
        this.options.onTrouble('Unfinished uploads cannot be deleted', error),
      );
    }, CLEAN_UP_EVERY_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /**
   * Answers a request of the protocol, whose version was looked at before. What it throws, it throws before it has
   * written anything.
   * @param userId null for a question about the protocol itself
   * @throws DomainError for every refusal, those of the protocol itself too
   */
  async handle(request: IncomingMessage, response: ServerResponse, userId: string | null): Promise<void> {
    if (userId !== null) this.callers.set(request, userId);
    if (request.method === 'PATCH' && request.headers['content-type'] !== BYTES_TYPE) {
      throw new DomainError('unsupported_media_type', `The bytes of an upload come as ${BYTES_TYPE}`);
    }
    const server = await this.opened();
    await server.handle(request, response);
  }

  /** @returns how many were deleted */
  async deleteExpired(): Promise<number> {
    const server = await this.opened();
    return server.cleanUpExpiredUploads();
  }

  private opened(): Promise<Server> {
    this.opening ??= this.open().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  private async open(): Promise<Server> {
    const { path, fileBytesMax, openStore } = this.options;
    const [{ Server: TusServer, ERRORS }, opened] = await Promise.all([import('@tus/server'), openStore()]);
    const { store, idPrefix } = opened;
    const refusal = refusals(ERRORS);
    /** Says by itself only what it refuses, as text: here the door answers every refusal alike. */
    class RefusingServer extends TusServer {
      override async write(...[, , status_code, body = '']: Parameters<Server['write']>): Promise<never> {
        throw refusal({ status_code, body });
      }
    }
    return new RefusingServer({
      path,
      datastore: store,
      maxSize: fileBytesMax,
      relativeLocation: true,
      // The door says who may call from a browser.
      allowedOrigins: () => false,
      lockDrainTimeout: LOCK_DRAIN_MS,
      namingFunction: (request) => `${idPrefix}${this.callerOf(request)}_${randomUUID()}`,
      generateUrl: (_request, { id }) => `${path}/${id.slice(idPrefix.length)}`,
      getFileIdFromRequest: (_request, name = '') => (UPLOAD_NAME.test(name) ? `${idPrefix}${name}` : undefined),
      onUploadCreate: async (request, { size }) => {
        await this.admit(opened, this.callerOf(request), size ?? 0);
        return {};
      },
      onIncomingRequest: async (request, uploadId) => {
        // Another's upload answers like one that does not exist.
        if (!uploadId.startsWith(`${idPrefix}${this.callerOf(request)}_`)) throw new DomainError('not_found');
      },
      onUploadFinish: async (request, upload) => {
        const media = await this.finished(store, this.callerOf(request), upload);
        // The protocol's server asks for what expires when it created it, and what is finished is there no more.
        delete upload.creation_date;
        const status_code = request.method === 'POST' ? 201 : 200;
        return { status_code, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(media) };
      },
      onResponseError: async (_request, error): Promise<never> => {
        throw 'status_code' in error ? refusal(error) : error;
      },
    });
  }

  private async admit({ unfinishedOf }: UploadStore, userId: string, sizeBytes: number): Promise<void> {
    await this.options.admit(userId, sizeBytes);
    if ((await unfinishedOf(userId, UNFINISHED_PER_USER_MAX)) >= UNFINISHED_PER_USER_MAX) {
      throw new DomainError('conflict', `At most ${UNFINISHED_PER_USER_MAX} uploads that are not finished`);
    }
  }

  private async finished(store: DataStore, userId: string, { id, size, metadata }: Upload): Promise<Media> {
    const claims = { fileName: metadata?.['filename'] ?? '', declaredType: metadata?.['filetype'] ?? '' };
    try {
      const bytes = await (store as DataStore & { read: (id: string) => Promise<Readable> }).read(id);
      return await this.options.finish(userId, claims, Readable.from(wholeUpload(bytes, size ?? 0)));
    } finally {
      await store.remove(id).catch((error: unknown) => this.options.onTrouble('An upload cannot be deleted', error));
    }
  }

  private callerOf(request: TusRequest): string {
    const userId = request.runtime?.node && this.callers.get(request.runtime.node.req);
    if (!userId) throw new DomainError('unauthenticated');
    return userId;
  }
}

interface TusError {
  status_code: number;
  body: string;
}

/** What the protocol's server refuses, in the words of the contract. What is no refusal stays an error. */
function refusals(errors: typeof ERRORS): (error: TusError) => Error {
  const codes: Record<number, ErrorCode> = {
    400: 'validation_failed',
    // A header that is missing: nothing is forbidden to this user.
    403: 'validation_failed',
    404: 'not_found',
    409: 'conflict',
    410: 'not_found',
    413: 'payload_too_large',
    // An extension that is not spoken here, and was not offered.
    501: 'validation_failed',
  };
  const codeOf = (error: TusError): ErrorCode | undefined => {
    // Another request to the same upload is there: this one may come again, after asking how far the upload is.
    if (error.body === errors.ABORTED.body) return 'conflict';
    if (error.body === errors.ERR_LOCK_TIMEOUT.body) return 'overloaded';
    return codes[error.status_code];
  };
  return (error) => {
    const code = codeOf(error);
    if (!code) return new Error(`A resumable upload failed: ${error.body.trim()}`);
    return code === 'not_found' ? new DomainError(code) : new DomainError(code, error.body.trim());
  };
}

/** Two processes that were sent the same upload at the same time may have left bytes out, or put them there twice. */
async function* wholeUpload(bytes: AsyncIterable<Buffer>, sizeBytes: number): AsyncGenerator<Buffer> {
  let read = 0;
  for await (const chunk of bytes) {
    read += chunk.length;
    yield chunk;
  }
  if (read !== sizeBytes) throw new DomainError('conflict', 'The upload was continued twice at once: begin it again');
}
