import { type ClientSession, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Visibility } from '../../core/visibility.js';
import { type Contact, type UserService } from '../users/index.js';
import { decideChannels, type Reach } from './channel-decision.js';
import { type DeviceService } from './device.service.js';
import { condense, notificationsCreated } from './notification.events.js';
import { type Notification, type NotificationModels } from './notification.model.js';
import { presentNotification } from './notification.presenter.js';
import { type Channel, NOTIFICATION_TYPES, type NotificationType, type OutsideChannel } from './notification.types.js';
import { type NotificationSettingsService } from './settings.service.js';
import { type NotificationText } from './texts.js';

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
  /** Only these channels, where the sender chose. */
  channels?: readonly Channel[];
  /** Where its mail goes, if not to the recipient's address. */
  mailTo?: string;
  batchId?: ObjectId;
  text(recipient: Contact, actor: Contact | undefined): NotificationText;
}

export interface WriterDeps {
  models: NotificationModels;
  users: UserService;
  settings: NotificationSettingsService;
  devices: DeviceService;
  visibility: Visibility;
  outbox: Outbox;
  clock: Clock;
  /** Channels that some provider serves. */
  served: ReadonlySet<OutsideChannel>;
}

/** Writes notifications and the event that tells of them, in batches. */
export class NotificationWriter {
  constructor(private readonly deps: WriterDeps) {}

  /**
   * Writes what has not been written before, within the caller's transaction: handling the same drafts again adds
   * nothing. Left out are recipients that no longer exist, or are hidden from whoever caused it, and what was caused by
   * someone who no longer exists.
   * @returns how many were written
   */
  async write(session: ClientSession, drafts: Draft[]): Promise<number> {
    const unique = new Map(drafts.map((draft) => [keyOf(draft), draft]));
    const recipients = [...new Set(drafts.map(({ userId }) => userId))];
    const actors = drafts.flatMap(({ actorId }) => actorId ?? []);
    // Read beside the transaction, all at once: one round trip's time, and nothing here is written by it.
    const [contacts, preferences, withDevice, written, apart] = await Promise.all([
      this.deps.users.contacts([...recipients, ...actors]),
      this.deps.settings.preferencesOf(recipients),
      this.deps.devices.owners(recipients),
      this.alreadyWritten([...unique.values()]),
      this.deps.visibility.hiddenPairs(actors, recipients),
    ]);
    const notifications = [...unique]
      .filter(([key, { actorId, userId }]) => !written.has(key) && !(actorId !== undefined && apart(actorId, userId)))
      .flatMap(([, draft]) => {
        const contact = contacts.get(draft.userId);
        if (!contact) return [];
        const actor = draft.actorId === undefined ? undefined : contacts.get(draft.actorId);
        if (draft.actorId !== undefined && !actor) return [];
        const reach = { preferences: preferences.get(draft.userId) ?? {}, hasDevice: withDevice(draft.userId) };
        return this.compose(draft, contact, actor, reach);
      });
    if (notifications.length === 0) return 0;
    await this.deps.models.notifications.collection.insertMany(notifications, { session });
    await this.deps.outbox.record(session, notificationsCreated, {
      entity: { kind: 'notification', id: notifications[0]?._id.toHexString() ?? '' },
      audience: { userIds: notifications.map(({ userId }) => userId.toHexString()) },
      data: condense(notifications.map(presentNotification)),
    });
    return notifications.length;
  }

  private compose(draft: Draft, contact: Contact, actor: Contact | undefined, reach: Reach): Notification[] {
    const now = this.deps.clock.now();
    const { category } = NOTIFICATION_TYPES[draft.type];
    const channels = decideChannels({ category, reach, allowed: draft.channels, served: this.deps.served, dueAt: now });
    if (Object.keys(channels).length === 0) return [];
    const { title, body } = draft.text(contact, actor);
    return [
      {
        _id: new ObjectId(),
        userId: contact._id,
        type: draft.type,
        category,
        actorIds: actor ? [actor._id] : [],
        entity: draft.entity,
        title,
        body,
        deepLink: draft.deepLink,
        data: draft.data,
        locale: contact.locale,
        groupKey: draft.groupKey,
        dedupeKey: draft.dedupeKey,
        ...(draft.batchId && { batchId: draft.batchId }),
        ...(draft.mailTo !== undefined && { mailTo: draft.mailTo }),
        channels,
        createdAt: now,
      },
    ];
  }

  /** Which of the drafts exist: by the unique index on user and dedupe key. */
  private async alreadyWritten(drafts: Draft[]): Promise<Set<string>> {
    const dedupeKeys = [...new Set(drafts.map(({ dedupeKey }) => dedupeKey))];
    const found = await this.deps.models.notifications.collection
      .find<Pick<Notification, 'userId' | 'dedupeKey'>>(
        { userId: { $in: drafts.map(({ userId }) => new ObjectId(userId)) }, dedupeKey: { $in: dedupeKeys } },
        { projection: { _id: 0, userId: 1, dedupeKey: 1 } },
      )
      .toArray();
    return new Set(found.map(({ userId, dedupeKey }) => keyOf({ userId: userId.toHexString(), dedupeKey })));
  }
}

function keyOf({ userId, dedupeKey }: { userId: string; dedupeKey: string }): string {
  return `${userId} ${dedupeKey}`;
}
