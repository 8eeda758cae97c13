import { type DomainEvent, isEvent } from '../../core/events/event.js';
import { described, flag, named, objectId, shape } from '../../core/http/schema.js';
import { type Log } from '../../core/observability/log.js';
import { type LocalEmitter, userRoom } from '../../core/realtime/namespace.js';
import { SerialByKey } from '../../core/serial.js';
import { type Visibility } from '../../core/visibility.js';
import {
  conversationCreated,
  conversationHidden,
  conversationMuted,
  conversationRenamed,
  joinRejected,
  joinRequested,
  joinWithdrawn,
  memberLeft,
  memberRoleChanged,
  membersJoined,
  messageDeleted,
  messageEdited,
  messageHidden,
  messageReacted,
  messageSent,
  receiptsAdvanced,
} from './chat.events.js';
import { type Members } from './members.js';
import { type MessageAnswer, type MessageFacts, type MessagePresenter } from './message.presenter.js';
import { conversationRoom } from './typing.js';

export const conversationUpdate = named(
  'ConversationUpdate',
  shape({
    conversationId: objectId(),
    removed: described(
      flag(),
      'It is not there for this user any more, or they asked to join it and were rejected; else it is to be fetched anew.',
    ),
  }),
);

export interface LiveChatDeps {
  members: Members;
  visibility: Pick<Visibility, 'hiddenFrom'>;
  presenter: Pick<MessagePresenter, 'tell'>;
  log: Log;
}

/** Kinds of event after which a conversation is to be fetched anew by its members. */
const CHANGES = new Set<string>(
  [conversationCreated, conversationRenamed, membersJoined, memberRoleChanged].map(({ type }) => type),
);

/**
 * Tells the sockets of this node what the feed brings about conversations, in its order. Who is in one is remembered,
 * so that a message waits for nothing here; each event finds the members as they were when it was committed or later.
 */
export class LiveChat {
  private readonly inOrder = new SerialByKey();

  constructor(private readonly deps: LiveChatDeps) {}

  tell(event: DomainEvent, emitter: LocalEmitter): void {
    if (isEvent(event, receiptsAdvanced)) {
      for (const receipt of event.data.receipts) {
        const { conversationId, userId } = receipt;
        this.run(conversationId, () => this.toMembers({ conversationId, by: userId }, emitter, 'receipt', receipt));
      }
      return;
    }
    if (isEvent(event, messageHidden)) {
      emitter.emit(userRoom(event.data.userId), 'message:deleted', { ...event.data.message, forEveryone: false });
    } else if (isEvent(event, conversationMuted)) {
      const { userId, conversationId } = event.data;
      emitter.emit(userRoom(userId), 'conversation:updated', { conversationId, removed: false });
    }
    const { conversationId } = event.audience;
    if (conversationId !== undefined) this.run(conversationId, () => this.show(event, conversationId, emitter));
  }

  private run(conversationId: string, work: () => Promise<void>): void {
    this.inOrder.run(conversationId, work).catch((error: unknown) => {
      this.deps.log.warn({ err: error, conversationId }, 'chat: a change could not be shown');
    });
  }

  private async show(event: DomainEvent, conversationId: string, emitter: LocalEmitter): Promise<void> {
    if (isEvent(event, messageSent)) await this.showMessage(event.data, emitter, 'message:new');
    else if (isEvent(event, messageEdited) || isEvent(event, messageReacted)) {
      await this.showMessage(event.data, emitter, 'message:updated');
    } else if (isEvent(event, messageDeleted)) {
      const { seq } = event.data;
      const by = event.actorId;
      await this.toMembers({ conversationId, seq, ...(by && { by }) }, emitter, 'message:deleted', {
        ...event.data,
        forEveryone: true,
      });
    } else if (isEvent(event, conversationHidden)) {
      const { hidden: removed } = event.data;
      if (removed) emitter.evict(conversationRoom(conversationId), conversationRoom(conversationId));
      await this.toMembers({ conversationId, whenHidden: true }, emitter, 'conversation:updated', {
        conversationId,
        removed,
      });
    } else if (isEvent(event, memberLeft)) {
      const { userId } = event.data;
      emitter.evict(userRoom(userId), conversationRoom(conversationId));
      emitter.emit(userRoom(userId), 'conversation:updated', { conversationId, removed: true });
      await this.toMembers({ conversationId }, emitter, 'conversation:updated', { conversationId, removed: false });
    } else if (isEvent(event, joinRequested) || isEvent(event, joinWithdrawn) || isEvent(event, joinRejected)) {
      const { userId: by } = event.data;
      const update = { conversationId, removed: false };
      await this.toMembers({ conversationId, by, leading: true }, emitter, 'conversation:updated', update);
      if (isEvent(event, joinRejected))
        emitter.emit(userRoom(by), 'conversation:updated', { ...update, removed: true });
    } else if (CHANGES.has(event.type)) {
      await this.toMembers({ conversationId }, emitter, 'conversation:updated', { conversationId, removed: false });
    }
  }

  /** Nobody is told of people who must not appear to them: what these say not at all, what names them without them. */
  private async showMessage(said: MessageFacts, emitter: LocalEmitter, name: string): Promise<void> {
    const { conversationId, seq, senderId, mentions, reactions } = said;
    const listening = await this.listening(
      { conversationId, seq, ...(senderId !== null && { by: senderId }) },
      emitter,
    );
    if (listening.length === 0) return;
    const shown = new Set([...mentions, ...reactions.map(({ userId }) => userId)]);
    const apart = await this.apartFrom([...shown], new Set(listening));
    // Once for all of them, however many they are.
    const message = this.deps.presenter.tell(said);
    const rooms = listening.filter((id) => !apart.has(id)).map(userRoom);
    if (rooms.length > 0) emitter.emit(rooms, name, message);
    for (const [viewer, people] of apart) emitter.emit(userRoom(viewer), name, without(message, people));
  }

  private async toMembers(to: Recipients, emitter: LocalEmitter, name: string, payload: object): Promise<void> {
    const listening = await this.listening(to, emitter);
    if (listening.length > 0) emitter.emit(listening.map(userRoom), name, payload);
  }

  /** The members who are connected here and may hear of it. */
  private async listening(
    { conversationId, by, seq, whenHidden, leading }: Recipients,
    emitter: LocalEmitter,
  ): Promise<string[]> {
    const { members, visibility } = this.deps;
    const roster = await members.of(conversationId);
    if (!roster || (roster.isHidden && whenHidden !== true)) return [];
    const here = [...roster.members].filter(
      ([id, { role, joinedSeq }]) =>
        emitter.has(userRoom(id)) && (seq === undefined || seq > joinedSeq) && (leading !== true || role !== 'member'),
    );
    if (here.length === 0 || by === undefined) return here.map(([id]) => id);
    const hidden = await visibility.hiddenFrom(by);
    return here.flatMap(([id]) => (hidden.has(id) ? [] : [id]));
  }

  /** To which of these viewers some of these people must not appear. */
  private async apartFrom(people: string[], viewers: ReadonlySet<string>): Promise<Map<string, Set<string>>> {
    const apart = new Map<string, Set<string>>();
    for (const person of people) {
      for (const viewer of await this.deps.visibility.hiddenFrom(person)) {
        if (viewers.has(viewer)) apart.set(viewer, (apart.get(viewer) ?? new Set()).add(person));
      }
    }
    return apart;
  }
}

interface Recipients {
  conversationId: string;
  /** Whose doing it is: those from whom they are hidden do not hear of it. */
  by?: string;
  /** The place of what it is about: only those who had come by then. */
  seq?: number;
  /** Also where a block has closed the conversation. */
  whenHidden?: boolean;
  /** Only its owner and its admins. */
  leading?: boolean;
}

function without(message: MessageAnswer, people: ReadonlySet<string>): MessageAnswer {
  return {
    ...message,
    mentions: message.mentions.filter((id) => !people.has(id)),
    reactions: message.reactions.filter(({ userId }) => !people.has(userId)),
  };
}
