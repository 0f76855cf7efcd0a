import type { Role } from '@parley/contracts';
import type { CommandRecord } from './commands/command-record.js';
import type {
  ChangeMembersCommand,
  ChangeSettingsCommand,
  CreateConversationCommand,
  RenameCommand,
} from './commands/conversation-command.js';
import { memberOf, NOT_FOUND } from './conversation.rules.js';
import type { ConversationState, MaybeConversation } from './conversation.state.js';
import { type Decision, type RecordPlace, refused } from './decision.js';
import type { MembersChanged } from './events/conversation-event.js';

/**
 * The conversation's id is derived from the pair (direct) or from creator and request id (group), so a second request
 * for the same one reaches the same state and is answered with what exists, also when both are asked at once.
 */
export function decideCreation(
  state: MaybeConversation,
  record: CommandRecord,
  command: CreateConversationCommand,
  place: RecordPlace,
): Decision {
  if (state !== null) {
    if (!memberOf(state, record.actorId)) return NOT_FOUND;
    return { events: [], outcome: { kind: 'created', existed: true } };
  }
  const role: Role = command.conversationType === 'direct' ? 'member' : 'admin';
  return {
    events: [
      {
        type: 'conversation-created',
        version: 1,
        conversationId: record.conversationId,
        at: place.at,
        rev: 1,
        conversationType: command.conversationType,
        name: command.name,
        createdBy: record.actorId,
        members: [
          { userId: record.actorId, role },
          ...command.memberIds.map((userId) => ({ userId, role: 'member' as const })),
        ],
      },
    ],
    outcome: { kind: 'created', existed: false },
  };
}

export function decideRename(
  state: ConversationState,
  actorId: string,
  command: RenameCommand,
  place: RecordPlace,
): Decision {
  const member = memberOf(state, actorId);
  if (!member) return NOT_FOUND;
  if (state.type === 'direct') return refused('conflict', 'A direct conversation has no name');
  if (member.role !== 'admin') return refused('forbidden', 'Only admins rename a group');
  if (state.name === command.name) return { events: [], outcome: { kind: 'changed', rev: state.lastRev } };
  const rev = state.lastRev + 1;
  return {
    events: [
      {
        type: 'conversation-renamed',
        version: 1,
        conversationId: state.conversationId,
        at: place.at,
        rev,
        name: command.name,
      },
    ],
    outcome: { kind: 'changed', rev },
  };
}

export function decideSettings(
  state: ConversationState,
  actorId: string,
  command: ChangeSettingsCommand,
  place: RecordPlace,
): Decision {
  const member = memberOf(state, actorId);
  if (!member) return NOT_FOUND;
  const mutedUntil = command.mutedUntil === undefined ? member.mutedUntil : command.mutedUntil;
  const pinned = command.pinned ?? member.pinned;
  const archived = command.archived ?? member.archived;
  if (mutedUntil === member.mutedUntil && pinned === member.pinned && archived === member.archived) {
    return { events: [], outcome: { kind: 'settings' } };
  }
  return {
    events: [
      {
        type: 'settings-changed',
        version: 1,
        conversationId: state.conversationId,
        at: place.at,
        userId: actorId,
        mutedUntil,
        pinned,
        archived,
      },
    ],
    outcome: { kind: 'settings' },
  };
}

interface MembersPlan {
  add: string[];
  remove: string[];
  /** The same as sets: a request may name thousands. */
  added: ReadonlySet<string>;
  removed: ReadonlySet<string>;
  roles: Record<string, Role>;
}

function planOf(state: ConversationState, command: ChangeMembersCommand): MembersPlan {
  const remove = command.remove.filter((userId) => state.members.has(userId));
  const add = command.add.filter((userId) => !state.members.has(userId));
  const [added, removed] = [new Set(add), new Set(remove)];
  const after = (userId: string): Role | undefined =>
    removed.has(userId) ? undefined : added.has(userId) ? 'member' : state.members.get(userId)?.role;
  const roles = Object.entries(command.roles).filter(([userId, role]) => after(userId) !== role);
  return { add, remove, added, removed, roles: Object.fromEntries(roles) };
}

function adminsAfter(state: ConversationState, plan: MembersPlan): number {
  let admins = state.admins;
  for (const userId of plan.remove) if (state.members.get(userId)?.role === 'admin') admins--;
  for (const [userId, role] of Object.entries(plan.roles)) {
    const before = plan.removed.has(userId) ? undefined : state.members.get(userId)?.role;
    if (role === 'admin' && before !== 'admin') admins++;
    if (role === 'member' && before === 'admin') admins--;
  }
  return admins;
}

function membersRefusal(
  state: ConversationState,
  actorId: string,
  command: ChangeMembersCommand,
  plan: MembersPlan,
): Decision | null {
  const actor = memberOf(state, actorId);
  if (!actor) return NOT_FOUND;
  if (state.type === 'direct') return refused('conflict', 'The members of a direct conversation never change');
  const leavesOnly =
    command.add.length === 0 &&
    Object.keys(command.roles).length === 0 &&
    command.remove.every((userId) => userId === actorId);
  if (actor.role !== 'admin' && !leavesOnly) {
    return refused('forbidden', 'Only admins change the members of a group');
  }
  const unknown = Object.keys(command.roles).find(
    (userId) => !plan.added.has(userId) && (!state.members.has(userId) || plan.removed.has(userId)),
  );
  if (unknown !== undefined) return refused('validation_failed', 'Roles are set for members only');
  const members = state.members.size - plan.remove.length + plan.add.length;
  if (plan.add.length > 0 && members > command.membersMax) {
    return refused('members_limit', `A group has at most ${command.membersMax} members`);
  }
  // The very last member may go: nobody is left who would need an admin.
  if (members > 0 && adminsAfter(state, plan) < 1) return refused('last_admin', 'A group keeps at least one admin');
  return null;
}

/** One event, and so one rev, for each kind of change: removals, then additions, then roles. */
export function decideMembers(
  state: ConversationState,
  actorId: string,
  command: ChangeMembersCommand,
  place: RecordPlace,
): Decision {
  const plan = planOf(state, command);
  const refusal = membersRefusal(state, actorId, command, plan);
  if (refusal) return refusal;
  const events: MembersChanged[] = [];
  const change = (part: Partial<Pick<MembersPlan, 'add' | 'remove' | 'roles'>>): void => {
    events.push({
      type: 'members-changed',
      version: 1,
      conversationId: state.conversationId,
      at: place.at,
      rev: state.lastRev + 1 + events.length,
      membershipEpoch: state.membershipEpoch + 1 + events.length,
      added: part.add ?? [],
      removed: part.remove ?? [],
      roles: part.roles ?? {},
    });
  };
  if (plan.remove.length > 0) change({ remove: plan.remove });
  if (plan.add.length > 0) change({ add: plan.add });
  if (Object.keys(plan.roles).length > 0) change({ roles: plan.roles });
  return { events, outcome: { kind: 'changed', rev: state.lastRev + events.length } };
}
