import { SetMetadata } from '@nestjs/common';
import type { ErrorCode } from '@parley/contracts';
import type { z } from 'zod';

export const TAGS = {
  Accounts: 'Signing up, in, on and out',
  Users: "Profiles, search, the caller's contacts and blocks",
  Conversations: 'Direct and group conversations, their members, and how the caller sees them',
  Messages: 'Sending, changing, reading and reacting',
  Media: 'Files and pictures: uploading them, and fetching them',
  Receipts: 'Who has received and read what',
  Presence: 'Who is online',
  Devices: 'Where notifications are pushed to',
  Sync: 'Catching up after an absence, and finding the socket',
} as const;

export interface Answer {
  status: 200 | 201 | 202 | 204;
  description: string;
  /** Null for an answer without a body. */
  schema: z.ZodType | null;
}

export interface OperationDescription {
  /** The method's name unless given. */
  id?: string;
  tag: keyof typeof TAGS;
  summary: string;
  description?: string;
  answers: readonly Answer[];
  /** The codes it refuses with, beside those that any request can meet. */
  refusals?: readonly ErrorCode[];
  /** The body is a file, as the field `file` of multipart/form-data. */
  upload?: boolean;
  /** Answers with bytes of whatever type. */
  bytes?: boolean;
}

const OPERATION_METADATA = 'parley:operation';

/** Describes a route for the OpenAPI document; parameters and bodies are read from the method's own schemas. */
export const Operation = (description: OperationDescription): MethodDecorator =>
  SetMetadata(OPERATION_METADATA, description);

export function operationOf(method: object): OperationDescription | undefined {
  return Reflect.getMetadata(OPERATION_METADATA, method) as OperationDescription | undefined;
}
