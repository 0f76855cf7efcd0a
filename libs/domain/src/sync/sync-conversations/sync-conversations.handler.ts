import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Conversation, SyncAnswer, SyncCursor, SyncPayload } from '@parley/contracts';
import { type ChangedPage, type ChangePosition, ConversationReader } from '../../ports/conversation-reader.port.js';
import { CursorCodec } from '../../ports/cursor-codec.port.js';
import { linkedMessages } from '../../media/linked-media.js';
import { MediaLinks } from '../../media/media-links.port.js';
import { MessageStore } from '../../ports/message-store.port.js';
import { isBehind, readTail, unnamedTail } from './conversation-tail.js';
import { SyncConversations } from './sync-conversations.query.js';
import { SyncPage } from './sync-page.js';
import { openPosition, sealPosition } from './sync-position.js';

/** Conversations of one answer that its cursors do not name; those they name come on top. */
const UNNAMED_PER_PAGE_MAX = 200;
/** Tails that are read at the same time for one caller. */
const TAILS_AT_ONCE = 4;
const LIST = 'sync';
const BEGINNING = '';
/** Sorts after every id. */
const END = '~';

/** How far paging has come: the named conversations by id, then the others by id. */
interface Place {
  since: ChangePosition | null;
  /** The position of the first page; null on the first page. */
  syncedAt: ChangePosition | null;
  namedAfter: string;
  othersAfter: string;
}

@QueryHandler(SyncConversations)
export class SyncConversationsHandler implements IQueryHandler<SyncConversations> {
  constructor(
    @Inject(ConversationReader) private readonly conversations: ConversationReader,
    @Inject(MessageStore) private readonly store: MessageStore,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
    @Inject(MediaLinks) private readonly links: MediaLinks,
  ) {}

  /**
   * The caller's conversations that changed, those that `cursors` names first; an unchanged one that is named only when
   * something lies behind its cursor. `nextCursor` leads through the conversations, `hasMore` and `next` through the
   * messages of each; both may be followed at once, since a page also continues what its cursors name again. A named
   * conversation that the caller does not belong to is `removed`, like one that does not exist.
   * @throws DomainError `validation_failed` for a `since` or `cursor` that no answer to this caller gave
   */
  async execute({ userId, payload }: SyncConversations): Promise<SyncAnswer> {
    const place = this.placeOf(userId, payload);
    const named = new Map(payload.cursors.map((cursor) => [cursor.conversationId, cursor]));
    const found = await this.conversations.changedSince(userId, {
      since: place.since,
      named: [...named.keys()],
      after: place.othersAfter === BEGINNING ? null : place.othersAfter,
      limit: UNNAMED_PER_PAGE_MAX,
    });
    const syncedAt = place.syncedAt ?? found.position;
    const page = new SyncPage();
    const next = await this.fill(page, found, named, place, payload.limit);
    return {
      syncedAt: sealPosition(userId, syncedAt),
      conversations: page.conversations.map((synced) => ({
        ...synced,
        messages: linkedMessages(synced.messages, userId, this.links),
        changes: linkedMessages(synced.changes, userId, this.links),
      })),
      removed: removedOf(found, named, place),
      nextCursor:
        next && this.cursors.seal(userId, LIST, [place.since ?? '', syncedAt, next.namedAfter, next.othersAfter]),
    };
  }

  /** While paging the cursor holds what the first call began with; `since` is given again and only checked. */
  private placeOf(userId: string, { since, cursor }: SyncPayload): Place {
    const position = since === undefined ? null : openPosition(userId, since);
    if (cursor === undefined) {
      return { since: position, syncedAt: null, namedAfter: BEGINNING, othersAfter: BEGINNING };
    }
    const [began, syncedAt, namedAfter, othersAfter] = this.cursors.open(userId, LIST, cursor) as string[];
    return {
      since: began || null,
      syncedAt: syncedAt || null,
      namedAfter: namedAfter ?? BEGINNING,
      othersAfter: othersAfter ?? BEGINNING,
    };
  }

  /** @returns where the next page begins, or null when every conversation has been told */
  private async fill(
    page: SyncPage,
    found: ChangedPage,
    named: ReadonlyMap<string, SyncCursor>,
    place: Place,
    limit: number,
  ): Promise<Place | null> {
    const cursorOf = (conversation: Conversation): SyncCursor => named.get(conversation.conversationId) as SyncCursor;
    const isNew = (conversation: Conversation): boolean => conversation.conversationId > place.namedAfter;
    const waiting = found.named
      .filter(
        ({ conversation, changed }) =>
          isNew(conversation) && (changed || isBehind(conversation, cursorOf(conversation))),
      )
      .map(({ conversation }) => conversation);
    const namedStop = await this.addNamed(page, waiting, cursorOf, limit);
    if (namedStop !== null) return { ...place, namedAfter: namedStop };

    let othersAfter = place.othersAfter;
    for (const conversation of found.changed) {
      if (!page.add(conversation, unnamedTail(conversation))) return { ...place, namedAfter: END, othersAfter };
      othersAfter = conversation.conversationId;
    }
    if (found.more) return { ...place, namedAfter: END, othersAfter };

    // Told on an earlier page and named again with the `next` of then: what fits of the rest.
    const again = found.named
      .map(({ conversation }) => conversation)
      .filter((conversation) => !isNew(conversation) && isBehind(conversation, cursorOf(conversation)));
    await this.addNamed(page, again, cursorOf, limit);
    return null;
  }

  /** @returns null, or the id of the last one that was added when the page is full */
  private async addNamed(
    page: SyncPage,
    conversations: readonly Conversation[],
    cursorOf: (conversation: Conversation) => SyncCursor,
    limit: number,
  ): Promise<string | null> {
    let last = BEGINNING;
    for (let from = 0; from < conversations.length; from += TAILS_AT_ONCE) {
      const some = conversations.slice(from, from + TAILS_AT_ONCE);
      const tails = await Promise.all(
        some.map(async (conversation) => ({
          conversation,
          tail: await readTail(this.store, conversation, cursorOf(conversation), limit),
        })),
      );
      for (const { conversation, tail } of tails) {
        if (!page.add(conversation, tail)) return last;
        last = conversation.conversationId;
      }
    }
    return null;
  }
}

/** Those taken from the caller since then are told once, on the first page. */
function removedOf(found: ChangedPage, named: ReadonlyMap<string, SyncCursor>, { syncedAt }: Place): string[] {
  const known = new Set(found.named.map(({ conversation }) => conversation.conversationId));
  const unknown = [...named.keys()].filter((conversationId) => !known.has(conversationId));
  return [...new Set([...(syncedAt === null ? found.removed : []), ...unknown])];
}
