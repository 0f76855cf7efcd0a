import { Accounts0001 } from './0001-accounts.js';
import { Conversations0002 } from './0002-conversations.js';
import { MemberOrder0003 } from './0003-member-order.js';
import { PipelineWorkers0004 } from './0004-pipeline-workers.js';
import { CommandLogEnd0005 } from './0005-command-log-end.js';
import { LastSeen0006 } from './0006-last-seen.js';
import { DevicesAndHandlers0007 } from './0007-devices-and-handlers.js';
import { Media0008 } from './0008-media.js';
import { ServerStarts0009 } from './0009-server-starts.js';
import { JoinedEpoch0010 } from './0010-joined-epoch.js';
import { PushMessages0011 } from './0011-push-messages.js';

/** In the order in which they run. A migration that was released never changes. */
export const MIGRATIONS = [
  Accounts0001,
  Conversations0002,
  MemberOrder0003,
  PipelineWorkers0004,
  CommandLogEnd0005,
  LastSeen0006,
  DevicesAndHandlers0007,
  Media0008,
  ServerStarts0009,
  JoinedEpoch0010,
  PushMessages0011,
];
