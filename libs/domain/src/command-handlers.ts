import { ChangeMembersHandler } from './conversations/change-members/change-members.handler.js';
import { ChangeSettingsHandler } from './conversations/change-settings/change-settings.handler.js';
import { CreateConversationHandler } from './conversations/create-conversation/create-conversation.handler.js';
import { RenameConversationHandler } from './conversations/rename-conversation/rename-conversation.handler.js';
import { AdmissionOrder } from './journal/admission-order.js';
import { CommandJournal } from './journal/command-journal.js';
import { DirectBlocks } from './membership/direct-blocks.js';
import { MembershipDirectory } from './membership/membership-directory.js';
import { DeleteMessageHandler } from './messages/delete-message/delete-message.handler.js';
import { EditMessageHandler } from './messages/edit-message/edit-message.handler.js';
import { SendableMedia } from './media/sendable-media.js';
import { MessageChanges } from './messages/message-changes.js';
import { ReactToMessageHandler } from './messages/react-to-message/react-to-message.handler.js';
import { SendMessageHandler } from './messages/send-message/send-message.handler.js';
import { SendRates } from './messages/send-rates.js';
import { AcknowledgeDeliveryHandler } from './receipts/acknowledge-delivery/acknowledge-delivery.handler.js';
import { MarkReadHandler } from './receipts/mark-read/mark-read.handler.js';
import { ReceiptFolder } from './receipts/receipt-folder.js';
import { SetTypingHandler } from './typing/set-typing/set-typing.handler.js';
import { TypingIndicators } from './typing/typing-indicators.js';

/** Who answers the commands that concern a conversation. */
export const COMMAND_HANDLERS = [
  AcknowledgeDeliveryHandler,
  ChangeMembersHandler,
  ChangeSettingsHandler,
  CreateConversationHandler,
  DeleteMessageHandler,
  EditMessageHandler,
  MarkReadHandler,
  ReactToMessageHandler,
  RenameConversationHandler,
  SendMessageHandler,
  SetTypingHandler,
];

/**
 * What those handlers share, once for a process. Beside these the module provides the ports, `DomainLimits`, and
 * `CommandPolicies` by importing `CommandPoliciesModule`.
 */
export const COMMAND_SIDE = [
  AdmissionOrder,
  CommandJournal,
  DirectBlocks,
  MembershipDirectory,
  MessageChanges,
  ReceiptFolder,
  SendableMedia,
  SendRates,
  TypingIndicators,
];
