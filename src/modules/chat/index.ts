import { type Module, type ModuleContext } from '../../core/module.js';
import { type Nodes } from '../../core/realtime/nodes.js';
import { type Signer } from '../../core/security/signing.js';
import { type Permissions, type Visibility } from '../../core/visibility.js';
import { type Attachments, type FindUses, type MediaLinks } from '../media/index.js';
import { type UserService } from '../users/index.js';
import { Attendance } from './attendance.js';
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
import { MessageAttaching, messagesWithMedia } from './message.attaching.js';
import { MessageChanges } from './message.changes.js';
import { MessageEvidence } from './message.evidence.js';
import { hiddenMessageCollection, messageCollection, messageEditCollection } from './message.model.js';
import { MessagePresenter } from './message.presenter.js';
import { messageRoutes } from './message.routes.js';
import { MessageService } from './message.service.js';
import { messageSource } from './message.source.js';
import { MessageWriter } from './message.writer.js';
import { onlookerCollection, Onlookers } from './onlookers.js';
import { ReceiptService } from './receipt.service.js';
import { SyncService } from './sync.service.js';
import { Typing } from './typing.js';
import { Unread } from './unread.js';

export { chatMigrations } from './chat.migrations.js';
export { type Attendance, type Attendee } from './attendance.js';
export {
  memberLeft,
  messageDeleted,
  messageEdited,
  messageHidden,
  messageMentionsChanged,
  messageReacted,
  messageSent,
  receiptsAdvanced,
} from './chat.events.js';
export { type Onlookers } from './onlookers.js';
export { type SaidMessage, type Unread, type UnreadMember } from './unread.js';

export { type MessageEvidence, type Testimony } from './message.evidence.js';

export const chatCollections = [
  conversationCollection,
  membershipCollection,
  invitationCollection,
  joinRequestCollection,
  messageCollection,
  messageEditCollection,
  hiddenMessageCollection,
  onlookerCollection,
];

export interface ChatOptions {
  users: UserService;
  permissions: Permissions;
  visibility: Visibility;
  /** Who has given up the account and may still come back. */
  gone: () => Promise<ReadonlySet<string>>;
  nodes: Nodes;
  attachments: Attachments;
  /** To what is attached. */
  links: MediaLinks;
  /** Signs the positions of clients. */
  signer: Signer;
}

/** Conversations between users, and what is said in them. */
export function createChat(
  { database, outbox, clock, pager, log }: ModuleContext,
  { users, permissions, visibility, gone, nodes, attachments, links, signer }: ChatOptions,
): Module & {
  evidence: MessageEvidence;
  onlookers: Onlookers;
  unread: Unread;
  attendance: Attendance;
  findUses: FindUses;
} {
  const rosters = new Members({ database, clock });
  const gate = new Gate({ members: rosters, visibility, gone });
  const writer = new MessageWriter({ database, clock });
  const conversations = new ConversationService({
    database,
    outbox,
    clock,
    users,
    permissions,
    visibility,
    members: rosters,
  });
  const requests = new JoinRequests({ database, outbox, clock, pager });
  const invitations = new InvitationService({ database, outbox, clock, pager });
  const list = new ConversationList({ database, pager, users, visibility, gone, requests });
  const members = new MemberService({ database, outbox, clock, conversations, members: rosters, requests });
  const joining = new Joining({ database, invitations, requests, members, rosters, visibility });
  const presenter = new MessagePresenter(links);
  const attaching = new MessageAttaching({ writer, attachments });
  const messages = new MessageService({ database, gate, permissions, writer, attaching });
  const changes = new MessageChanges({ database, outbox, clock, attachments });
  const receipts = new ReceiptService({ database, outbox, clock });
  const sync = new SyncService({ database, clock, list, visibility, signer, presenter });
  const live = new LiveChat({ members: rosters, visibility, presenter, log });
  const onlookers = new Onlookers({ database, nodes, log });
  const typing = new Typing(clock);
  return {
    evidence: new MessageEvidence({ database, members: rosters }),
    onlookers,
    unread: new Unread({ database, clock }),
    attendance: new Attendance({ database, clock, onlookers }),
    findUses: messagesWithMedia(database),
    // Before whoever tells sockets: what is told next is told to those who are then in the conversation.
    subscribers: [rosters, writer],
    routes: [
      ...conversationRoutes({ gate, conversations, list, members }),
      ...joiningRoutes({ gate, list, invitations, requests, joining, users, visibility }),
      ...messageRoutes({ gate, messages, changes, receipts, sync, presenter }),
    ],
    events: chatEvents,
    sources: [messageSource],
    listeners: [tieListener({ conversations, members, visibility })],
    followers: [lastMessageListener({ database, clock })],
    namespaces: [messageNamespace({ gate, list, messages, changes, receipts, presenter, live, typing, onlookers })],
    personalData: [chatData({ database, clock, members }), joiningData({ database })],
  };
}
