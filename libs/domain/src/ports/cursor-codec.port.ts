/** A place in a list: what the query needs to go on from there. */
export type CursorPosition = readonly (string | number)[];

/**
 * Makes cursors opaque and binds each to its user and its list (name and filter), so that one can be neither forged nor
 * carried over to somebody else's list.
 */
export abstract class CursorCodec {
  abstract seal(userId: string, list: string, position: CursorPosition): string;
  /** @throws DomainError `validation_failed` (field `cursor`) unless it was sealed for this user and list. */
  abstract open(userId: string, list: string, cursor: string): CursorPosition;
}
