import { type Module, type ModuleContext } from '../../core/module.js';
import { type Signer } from '../../core/security/signing.js';
import { type Permissions, type Visibility } from '../../core/visibility.js';
import { type UserService } from '../users/index.js';
import { chatEvents } from './chat.events.js';
import { lastMessageListener, tieListener } from './chat.listeners.js';
import { LiveChat } from './chat.live.js';
import { chatData } from './chat.personal-data.js';
import { messageNamespace } from './chat.sockets.js';
import { ConversationList } from './conversation.list.js';
import { conversationCollection, membershipCollection } from './conversation.model.js';
import { conversationRoutes } from './conversation.routes.js';
import { ConversationService } from './conversation.service.js';
import { Gate } from './gate.js';
import { invitationCollection } from './joining/invitation.model.js';
import { InvitationService } from './joining/invitation.service.js';
import { joinRequestCollection } from './joining/join-request.model.js';
import { JoinRequests } from './joining/join-requests.js';
import { joiningData } from './joining/joining.personal-data.js';
import { joiningRoutes } from './joining/joining.routes.js';
import { Joining } from './joining/joining.service.js';
import { MemberService } from './member.service.js';
import { Members } from './members.js';
import { MessageChanges } from './message.changes.js';
import { MessageEvidence } from './message.evidence.js';
import { hiddenMessageCollection, messageCollection, messageEditCollection } from './message.model.js';
import { messageRoutes } from './message.routes.js';
import { MessageService } from './message.service.js';
import { messageSource } from './message.source.js';
import { MessageWriter } from './message.writer.js';
import { ReceiptService } from './receipt.service.js';
import { SyncService } from './sync.service.js';
import { Typing } from './typing.js';

export { type MessageEvidence, type Testimony } from './message.evidence.js';

export const chatCollections = [
  conversationCollection,
  membershipCollection,
  invitationCollection,
  joinRequestCollection,
  messageCollection,
  messageEditCollection,
  hiddenMessageCollection,
];

export interface ChatOptions {
  users: UserService;
  permissions: Permissions;
  visibility: Visibility;
  /** Who has given up the account and may still come back. */
  gone: () => Promise<ReadonlySet<string>>;
  /** Signs the positions of clients. */
  signer: Signer;
}

/** Conversations between users, and what is said in them. */
export function createChat(
  { database, outbox, clock, pager, log }: ModuleContext,
  { users, permissions, visibility, gone, signer }: ChatOptions,
): Module & { evidence: MessageEvidence } {
  const rosters = new Members({ database, clock });
  const gate = new Gate({ members: rosters, visibility, gone });
  const writer = new MessageWriter({ database, clock });
  const conversations = new ConversationService({ database, outbox, clock, users, permissions, members: rosters });
  const requests = new JoinRequests({ database, outbox, clock, pager });
  const invitations = new InvitationService({ database, outbox, clock, pager });
  const list = new ConversationList({ database, pager, users, visibility, gone, requests });
  const members = new MemberService({ database, outbox, clock, conversations, members: rosters, requests });
  const joining = new Joining({ database, invitations, requests, members, rosters, visibility });
  const messages = new MessageService({ database, gate, permissions, writer });
  const changes = new MessageChanges({ database, outbox, clock });
  const receipts = new ReceiptService({ database, outbox, clock });
  const sync = new SyncService({ database, clock, list, visibility, signer });
  const live = new LiveChat({ members: rosters, visibility, log });
  return {
    evidence: new MessageEvidence({ database, members: rosters }),
    // Before whoever tells sockets: what is told next is told to those who are then in the conversation.
    subscribers: [rosters, writer],
    routes: [
      ...conversationRoutes({ gate, conversations, list, members }),
      ...joiningRoutes({ gate, list, invitations, requests, joining, users, visibility }),
      ...messageRoutes({ gate, messages, changes, receipts, sync }),
    ],
    events: chatEvents,
    sources: [messageSource],
    listeners: [lastMessageListener({ database, clock }), tieListener({ conversations, members })],
    namespaces: [messageNamespace({ gate, list, messages, changes, receipts, live, typing: new Typing(clock) })],
    personalData: [chatData({ database, clock, members }), joiningData({ database })],
  };
}
