import { Logger } from '@nestjs/common';
import { CLIENT_EVENTS, isDeeperThan, toFieldErrors, type ClientEventName } from '@parley/contracts';
import { DomainError, invalidField } from '@parley/domain';
import type { z } from 'zod';
import type { IncomingPacket, PacketProblem } from './packet-decoder.js';
import type { ReceivedEvent, SocketDoor } from './socket-door.js';
import { toSocketError } from './socket-error.js';
import type { SocketLink } from './socket-link.js';

export type EventHandler<Session> = (event: ReceivedEvent<Session>) => Promise<unknown>;

interface Entry<Session> {
  name: ClientEventName;
  schema: z.ZodType;
  handle: EventHandler<Session>;
}

const PROBLEMS: Record<PacketProblem, () => DomainError> = {
  payload_too_large: () => new DomainError('payload_too_large'),
  invalid_json: () => invalidField('', 'invalid_json', 'Not a JSON array of an event name and a payload'),
  binary_not_taken: () => invalidField('', 'binary_not_taken', 'Binary attachments are not taken'),
};

/**
 * Brings each event of every socket to its one handler and the answer back: one map and one call for a packet.
 * Every event that asks for an acknowledgement gets one, whatever is wrong with it, and no event ends the process.
 */
export class EventDispatcher<Session> {
  private readonly logger = new Logger('Sockets');
  private readonly entries = new Map<string, Entry<Session>>();

  constructor(private readonly door: SocketDoor<Session, unknown>) {}

  /** @throws when the event is not part of the contract: a handler for it could never be reached by a valid payload */
  register(name: string, handle: EventHandler<Session>): void {
    const event = CLIENT_EVENTS[name as ClientEventName];
    if (!Object.hasOwn(CLIENT_EVENTS, name)) throw new Error(`No client event is called ${name}`);
    if (this.entries.has(name)) throw new Error(`Two handlers for ${name}`);
    this.entries.set(name, { name: name as ClientEventName, schema: event.payload, handle });
  }

  receive(session: Session, link: SocketLink, packet: IncomingPacket): void {
    const name = Array.isArray(packet.data) && typeof packet.data[0] === 'string' ? packet.data[0] : '';
    const overLimit = this.door.take(session, name);
    if (overLimit) return refuse(link, packet.id, overLimit);
    try {
      const read = this.read(session, name, packet);
      if (read instanceof DomainError) this.refused(session, link, name, packet.id, read);
      else void this.run(read.entry, read.event, link, packet.id);
    } catch (error) {
      this.refused(session, link, name, packet.id, this.asRefusal(error));
    }
  }

  private read(
    session: Session,
    name: string,
    packet: IncomingPacket,
  ): { entry: Entry<Session>; event: ReceivedEvent<Session> } | DomainError {
    if (packet.problem) return PROBLEMS[packet.problem]();
    const args = packet.data as unknown[];
    const entry = this.entries.get(name);
    if (!entry) return invalidField('', 'unknown_event', 'There is no event of this name');
    if (args.length > 2) return invalidField('', 'too_many_arguments', 'An event carries one payload');
    const parsed = entry.schema.safeParse(args[1]);
    if (parsed.success) return { entry, event: { connection: session, payload: parsed.data, failure: undefined } };
    if (isDeeperThan(args[1])) return invalidField('', 'too_deep', 'Nested too deep');
    return new DomainError('validation_failed', undefined, { errors: toFieldErrors(parsed.error) });
  }

  private async run(
    entry: Entry<Session>,
    event: ReceivedEvent<Session>,
    link: SocketLink,
    id: string | undefined,
  ): Promise<void> {
    try {
      const result = await entry.handle(event);
      if (event.failure !== undefined) {
        return this.refused(event.connection, link, entry.name, id, this.asRefusal(event.failure));
      }
      if (id !== undefined) link.write({ text: `3${id}[${acknowledgement(result)}]` });
      this.door.answered(event.connection, entry.name, 'ok');
    } catch (error) {
      this.refused(event.connection, link, entry.name, id, this.asRefusal(error));
    }
  }

  private refused(session: Session, link: SocketLink, name: string, id: string | undefined, error: DomainError): void {
    refuse(link, id, error);
    this.door.answered(session, name, error.code);
  }

  private asRefusal(error: unknown): DomainError {
    if (error instanceof DomainError) return error;
    this.logger.error(error);
    return new DomainError('internal');
  }
}

function refuse(link: SocketLink, id: string | undefined, error: DomainError): void {
  if (id !== undefined) link.write({ text: `3${id}[{"ok":false,"error":${JSON.stringify(toSocketError(error))}}]` });
}

/** `{ok: true}` and the fields of the result, whose text is made only once: an answer to `sync` may be a megabyte. */
function acknowledgement(result: unknown): string {
  const fields = result === undefined || result === null ? '{}' : JSON.stringify(result);
  return fields === '{}' ? '{"ok":true}' : `{"ok":true,${fields.slice(1)}`;
}
