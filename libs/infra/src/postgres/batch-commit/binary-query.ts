import type { Writable } from 'node:stream';
import type { Connection, Submittable } from 'pg';
import type { ParameterWriter } from '../sql/parameter-writer.js';

/** A prepared statement whose parameters are all in PostgreSQL's binary format, and whose answer nobody reads. */
export interface BinaryStatement {
  /** It is prepared once for each connection, under this name. */
  name: string;
  text: string;
  parameters: number;
  /** Writes each parameter with its length before it. */
  write: (writer: ParameterWriter) => void;
}

const BIND = 'B'.charCodeAt(0);
const EXECUTE_AND_SYNC = Buffer.from([69, 0, 0, 0, 9, 0, 0, 0, 0, 0, 83, 0, 0, 0, 4]);
const BINARY = 1;

/** What is not in the driver's types. */
interface DriverConnection {
  /** Texts of prepared statements by name, kept by the driver. */
  parsedStatements: Record<string, string | undefined>;
  stream: Writable;
  parse(query: { name: string; text: string; types: number[] }): void;
}

/** A value that does not fit its column: nothing was sent, and trying again would end the same way. */
export class UnwritableParameter extends Error {
  constructor(cause: unknown) {
    super(`a parameter cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/**
 * The driver's way to run something other than its own queries: the messages Bind, Execute and Sync in one write. The
 * driver's own `bind` copies every parameter twice, and its `describe` has the server tell of columns that nobody reads.
 *
 * Protocol: https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class BinaryQuery implements Submittable {
  readonly name: string;
  readonly text: string;

  /** @param writer must stay as it is until the query has ended */
  constructor(
    private readonly statement: BinaryStatement,
    private readonly writer: ParameterWriter,
    /** Called once, by name: the driver puts a time-out around it. */
    public callback: (error: Error | null) => void,
    /** Called when the system has taken all of it; perhaps twice. */
    private readonly onSent: () => void,
  ) {
    this.name = statement.name;
    this.text = statement.text;
  }

  submit(connection: Connection): Error | null {
    const { writer, name, text } = this;
    const driver = connection as unknown as DriverConnection;
    try {
      writer.reset();
      writeBind(writer, this.statement);
    } catch (error) {
      return new UnwritableParameter(error);
    }
    if (driver.parsedStatements[name] === undefined) driver.parse({ name, text, types: [] });
    driver.stream.write(writer.bytes(), () => this.onSent());
    if (driver.stream.writableLength === 0) this.onSent();
    return null;
  }

  handleRowDescription(): void {}

  handleDataRow(): void {}

  handleCommandComplete(): void {}

  handleEmptyQuery(): void {}

  handleError(error: Error): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    this.callback(null);
  }
}

function writeBind(writer: ParameterWriter, { name, parameters, write }: BinaryStatement): void {
  writer.int8(BIND);
  const length = writer.beginLength();
  writer.name(''); // the unnamed portal
  writer.name(name);
  writer.int16(1);
  writer.int16(BINARY);
  writer.int16(parameters);
  write(writer);
  writer.int16(0); // columns of the answer: as they come
  writer.endMessage(length);
  for (const byte of EXECUTE_AND_SYNC) writer.int8(byte);
}
