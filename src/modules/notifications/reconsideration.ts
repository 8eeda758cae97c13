import { type ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { decideAgain, type Meanwhile } from './channel-decision.js';
import { type Outcome } from './delivery/outcome.js';
import { GROUPED } from './lines.js';
import { type Telling } from './mute.service.js';
import { type Notification } from './notification.model.js';
import { type OutsideChannel, type NotificationTypeFacts, NOTIFICATION_TYPES } from './notification.types.js';
import { type Facts, type RecipientFacts } from './recipient-facts.js';

export interface ReconsiderationDeps {
  facts: Pick<RecipientFacts, 'of'>;
  /** Which of these announcements are to be sent to nobody any more, and why, by id. */
  stopped: (announcementIds: ObjectId[]) => Promise<ReadonlyMap<string, string>>;
  /** Channels that some provider serves. */
  served: ReadonlySet<OutsideChannel>;
  clock: Clock;
}

/**
 * Decides again about what is due but was not sent when it was written: it has waited for the end of quiet hours, or a
 * first attempt has failed. Meanwhile it may have been undone, read, switched off or muted, or it may be quiet by now.
 */
export class Reconsideration {
  constructor(private readonly deps: ReconsiderationDeps) {}

  /**
   * What becomes of those of the claimed notifications that are not to be sent now, by id. Nothing is read for what is
   * taken up for the first time, which is nearly all, but whether its announcement was cancelled; for the others
   * together a query for each kind of fact.
   */
  async among(channel: OutsideChannel, claimed: readonly Notification[]): Promise<Map<string, Outcome>> {
    const outcomes = new Map<string, Outcome>();
    const stopped = await this.deps.stopped(announcementsOf(claimed));
    for (const each of claimed) {
      const reason = supersededBy(each) ?? stopped.get(each.batchId?.toHexString() ?? '');
      if (reason !== undefined) outcomes.set(each._id.toHexString(), { kind: 'cancelled', reason });
    }
    const late = claimed.filter((each) => !outcomes.has(each._id.toHexString()) && isLate(channel, each));
    if (late.length === 0) return outcomes;
    const facts = await this.deps.facts.of(late.map(tellingOf));
    for (const each of late) {
      const decision = this.decide(channel, each, facts);
      if (decision.kind !== 'pending') outcomes.set(each._id.toHexString(), decision);
    }
    return outcomes;
  }

  private decide(channel: OutsideChannel, notification: Notification, facts: Facts) {
    const { served, clock } = this.deps;
    const { unreadSince } = notification;
    const typeFacts: NotificationTypeFacts = NOTIFICATION_TYPES[notification.type];
    const reach = facts.reach(tellingOf(notification));
    return decideAgain(channel, meanwhile(notification, facts), {
      ...{ ...typeFacts, reach, served },
      ...(unreadSince && { unreadSince }),
      wasLeftToBeSeen: notification.channels[channel]?.reason === 'PRESENT',
      // The channel would not be there if its sender had not chosen it.
      allowed: undefined,
      now: clock.now(),
    });
  }
}

function announcementsOf(claimed: readonly Notification[]): ObjectId[] {
  const ids = claimed.flatMap(({ bulk, batchId }) => (bulk === true && batchId != null ? [batchId] : []));
  return [...new Map(ids.map((id) => [id.toHexString(), id])).values()];
}

/**
 * What some device has already is finished on the others. What concerns security is sent whatever else has happened.
 */
function isLate(channel: OutsideChannel, { category, channels }: Notification): boolean {
  const delivery = channels[channel];
  if (!delivery || category === 'security' || (delivery.sentTo?.length ?? 0) > 0) return false;
  return delivery.reason != null || delivery.attempts > 1;
}

/** What has become of it, as it says itself, that it is not to be sent any more. */
function supersededBy({ withdrawn, deletedAt, line, channels }: Notification): string | undefined {
  if (withdrawn) return 'UNDONE';
  if (deletedAt) return 'DELETED';
  return line && !channels.inApp ? GROUPED : undefined;
}

/** What has happened since it was written. */
export function meanwhile(notification: Notification, facts: Facts): Meanwhile {
  const { userId, actorIds, channels } = notification;
  const recipient = userId.toHexString();
  const actors = actorIds.map((id) => id.toHexString());
  const actorHidden = actors.some((actor) => !facts.contact(actor) || facts.apart(actor, recipient));
  return {
    inApp: channels.inApp?.status,
    recipientGone: !facts.contact(recipient),
    hidden: actorHidden || facts.outOfSight(tellingOf(notification)),
  };
}

/** What has to be known to decide about it. */
export function tellingOf({ userId, actorIds, about, mailTo, smsTo }: Notification): Telling {
  const [recipient, actors] = [userId.toHexString(), actorIds.map((id) => id.toHexString())];
  return { userId: recipient, actorIds: actors, about: about ?? [], mailTo, smsTo };
}
