import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { ofKind, type Outbox } from '../../core/events/outbox.js';
import { tracesAtHand } from '../../core/observability/tracing.js';
import { type Contact } from '../users/index.js';
import { decideChannels, type Reach } from './channel-decision.js';
import { type DirectWay } from './delivery/direct-way.js';
import { deliveriesTold } from './delivery/tell-deliveries.js';
import { type Digests } from './digests/digests.js';
import { type InboxChanges } from './inbox-changes.js';
import { type Lines } from './lines.js';
import { condense, notificationsCreated } from './notification.events.js';
import { type Notification, type NotificationModels } from './notification.model.js';
import { type Subject, subjectKey, type Telling } from './mute.service.js';
import { presentNotification } from './notification.presenter.js';
import {
  type Channel,
  isGrouped,
  NOTIFICATION_TYPES,
  type NotificationType,
  type NotificationTypeFacts,
  type OutsideChannel,
} from './notification.types.js';
import { type RecipientFacts } from './recipient-facts.js';
import { type NotificationText } from './texts.js';
import { type Return, type Withdrawals } from './withdrawals.js';

/** A notification for one recipient, before it is known how to reach them. */
export interface Draft {
  userId: string;
  type: NotificationType;
  actorId: string | undefined;
  entity: { kind: string; id: string };
  deepLink: string;
  dedupeKey: string;
  groupKey: string;
  data: Record<string, unknown>;
  /** What it is about, as far as that can be muted. */
  about?: readonly Subject[];
  /** Only these channels, where the sender chose. */
  channels?: readonly Channel[];
  /** Where its mail goes, if not to the recipient's address. */
  mailTo?: string;
  /** Where its SMS goes, if not to the recipient's number. */
  smsTo?: string;
  batchId?: ObjectId;
  /** One of very many: its deliveries let those of others go first. */
  bulk?: boolean;
  /** How many messages it tells of, if several. */
  occurrences?: number;
  /** The conversation whose messages it tells of. */
  unreadIn?: ObjectId;
  /** The event that gave occasion to it, if any: with it, what was withdrawn is brought back. */
  eventId?: ObjectId;
  /** Where its cause stands in its trace; else it goes on in that of whoever writes it. */
  traceparent?: string;
  text(recipient: Contact, actor: Contact | undefined): NotificationText;
}

export interface WriterDeps {
  models: NotificationModels;
  facts: RecipientFacts;
  outbox: Outbox;
  clock: Clock;
  withdrawals: Withdrawals;
  digests: Digests;
  lines: Lines;
  changes: InboxChanges;
  directWay: DirectWay;
  /** Channels that some provider serves. */
  served: ReadonlySet<OutsideChannel>;
}

/** Writes notifications and the event that tells of them, in batches. */
export class NotificationWriter {
  constructor(private readonly deps: WriterDeps) {}

  /**
   * Writes what has not been written before, within the caller's transaction: handling the same drafts again adds
   * nothing. Left out are recipients that no longer exist, or are hidden from whoever caused it, or for whom the message
   * that it is about is not there, and what was caused by someone who no longer exists.
   * @returns those that were written
   */
  async write(session: ClientSession, drafts: Draft[]): Promise<Notification[]> {
    const unique = new Map(drafts.map((draft) => [keyOf(draft), draft]));
    const [facts, written] = await Promise.all([
      this.deps.facts.of(drafts.map(tellingOf)),
      this.alreadyWritten([...unique.values()]),
    ]);
    const notifications: Notification[] = [];
    const returns: Return[] = [];
    for (const [key, draft] of unique) {
      const { userId, actorId, dedupeKey, eventId, data } = draft;
      if (actorId !== undefined && facts.apart(actorId, userId)) continue;
      if (facts.outOfSight(tellingOf(draft))) continue;
      const contact = facts.contact(userId);
      const actor = actorId === undefined ? undefined : facts.contact(actorId);
      if (!contact || (actorId !== undefined && !actor)) continue;
      const existing = written.get(key);
      if (!existing) notifications.push(...this.compose(draft, contact, actor, facts.reach(tellingOf(draft))));
      else if (existing.withdrawn && eventId) {
        returns.push({ userId, dedupeKey, eventId, data, ...draft.text(contact, actor) });
      }
    }
    await this.deps.withdrawals.bringBack(session, returns);
    if (notifications.length === 0) return [];
    const told = await this.deps.lines.gather(
      session,
      notifications.filter(({ line }) => line),
    );
    await this.gather(session, notifications);
    // That each is pending first is told of those as well that are being sent from the start.
    const asCreated = notifications.map(presentNotification);
    const begun = this.deps.directWay.claim(notifications, facts);
    const inHand = begun.flatMap(({ channel }) =>
      notifications.some(({ channels }) => channels[channel]?.status === 'pending') ? [] : [channel],
    );
    const shown = notifications.filter(({ channels }) => channels.inApp);
    const states = await this.deps.changes.publish(session, told, shown);
    const inboxes = [...states].map(([userId, state]) => ({ userId, ...state }));
    await this.deps.models.notifications.collection.insertMany(notifications, { session });
    const created = ofKind(notificationsCreated, {
      entity: { kind: 'notification', id: notifications[0]?._id.toHexString() ?? '' },
      audience: { userIds: notifications.map(({ userId }) => userId.toHexString()) },
      data: { ...condense(asCreated), inboxes, ...(inHand.length > 0 && { inHand }) },
    });
    const taken = begun.flatMap(({ channel, claimed }) =>
      deliveriesTold(
        channel,
        claimed.map((notification) => ({ notification, was: 'pending', status: 'sending' })),
      ),
    );
    await this.deps.outbox.recordTogether(session, [created, ...taken]);
    return notifications;
  }

  /** What is to be mailed together joins its digest. */
  private async gather(session: ClientSession, notifications: Notification[]): Promise<void> {
    const mailed = notifications.flatMap(({ userId, channels }) =>
      channels.email ? [{ userId, channels, delivery: channels.email }] : [],
    );
    const deliveries = await this.deps.digests.join(session, mailed);
    for (const [index, { channels, delivery }] of mailed.entries()) channels.email = deliveries[index] ?? delivery;
  }

  private compose(draft: Draft, contact: Contact, actor: Contact | undefined, reach: Reach): Notification[] {
    const now = this.deps.clock.now();
    const facts: NotificationTypeFacts = NOTIFICATION_TYPES[draft.type];
    const { category } = facts;
    const { channels: allowed, about = [], occurrences = 1 } = draft;
    // A trace of a hundred thousand deliveries helps nobody.
    const traceparent = draft.bulk === true ? undefined : (draft.traceparent ?? tracesAtHand().traceparent);
    const channels = decideChannels({ ...facts, reach, allowed, served: this.deps.served, now });
    if (Object.keys(channels).length === 0) return [];
    const { title, body } = draft.text(contact, actor);
    const _id = new ObjectId();
    const actorIds = actor ? [actor._id] : [];
    // What counts as read from the start, since it is muted, has no part in what is not read yet.
    const joins = isGrouped(draft.type) && reach.grouping?.[category] !== false && channels.inApp?.status === 'unread';
    return [
      {
        _id,
        userId: contact._id,
        type: draft.type,
        category,
        actorIds,
        entity: draft.entity,
        title,
        body,
        deepLink: draft.deepLink,
        data: draft.data,
        locale: contact.locale,
        groupKey: draft.groupKey,
        dedupeKey: draft.dedupeKey,
        ...(joins && { line: _id }),
        ...(occurrences > 1 && { occurrences, group: { count: occurrences, actorIds } }),
        ...(draft.unreadIn && { unreadIn: draft.unreadIn }),
        ...(facts.mailAfterMs !== undefined && { unreadSince: now }),
        ...(about.length > 0 && { about: about.map(subjectKey) }),
        ...(draft.eventId && { eventIds: [draft.eventId] }),
        ...(draft.batchId && { batchId: draft.batchId }),
        ...(draft.bulk === true && { bulk: true }),
        ...(draft.mailTo !== undefined && { mailTo: draft.mailTo }),
        ...(draft.smsTo !== undefined && { smsTo: draft.smsTo }),
        ...(traceparent !== undefined && { traceparent }),
        channels,
        createdAt: now,
      },
    ];
  }

  /**
   * Those of the drafts that exist, by their keys: by the unique index on user and dedupe key, or where that is all that
   * there can be of a batch, by that of the batch, which is nearly always nothing.
   */
  private async alreadyWritten(drafts: Draft[]): Promise<Map<string, Pick<Notification, 'withdrawn'>>> {
    const dedupeKeys = [...new Set(drafts.map(({ dedupeKey }) => dedupeKey))];
    const batchId = drafts[0]?.batchId;
    const isWhole =
      batchId !== undefined && drafts.every((each) => each.batchId?.equals(batchId) && each.bulk !== true);
    const found = await this.deps.models.notifications.collection
      .find<Pick<Notification, 'userId' | 'dedupeKey' | 'withdrawn'>>(
        isWhole
          ? { batchId }
          : { userId: { $in: drafts.map(({ userId }) => new ObjectId(userId)) }, dedupeKey: { $in: dedupeKeys } },
        { projection: { _id: 0, userId: 1, dedupeKey: 1, withdrawn: 1 } },
      )
      .toArray();
    return new Map(
      found.map((each) => [keyOf({ userId: each.userId.toHexString(), dedupeKey: each.dedupeKey }), each]),
    );
  }
}

function tellingOf({ userId, actorId, about = [], mailTo, smsTo }: Draft): Telling {
  return { userId, actorIds: actorId === undefined ? [] : [actorId], about: about.map(subjectKey), mailTo, smsTo };
}

function keyOf({ userId, dedupeKey }: { userId: string; dedupeKey: string }): string {
  return `${userId} ${dedupeKey}`;
}
