import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type ClientSession, type Collection, type Filter, type UpdateFilter } from 'mongodb';
import { type Clock, later, MINUTE } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { isDatabaseUnavailable } from '../../../core/database/errors.js';
import { Lease, LeaseLost, type LeaseRow } from '../../../core/database/lease.js';
import { consumersCollection } from '../../../core/events/collections.js';
import { type DomainEvent } from '../../../core/events/event.js';
import { heartbeat } from '../../../core/events/heartbeat.js';
import { FeedWorker } from '../../../core/jobs/feed-worker.js';
import { type Log } from '../../../core/observability/log.js';
import { type Audiences } from '../../users/index.js';
import { type NotificationWriter } from '../notification.writer.js';
import { deliveriesRecorded, notificationsCreated } from '../notification.events.js';
import { announcementCancelled, announcementEvents, announcementScheduled } from './announcement.events.js';
import { type Announcement, announcementCollection } from './announcement.model.js';
import { reachedBy } from './announcement.service.js';
import { draftsByLanguage } from './drafts.js';
import { type AnnouncementProgress } from './progress.js';
import { type Stopping } from './stopping.js';

/** Recipients of one transaction. Of the longest texts it is 5 MB, and takes half a second of the database. */
const PAGE = 1_000;
/** While others are at work: what comes meanwhile waits for a fifth of that at most. */
const SMALL_PAGE = 200;
/** And after each it rests for so many times as long as it took. */
const REST = 2;
/** After so long without anything that somebody did, nobody is at work. */
const ALONE_AFTER_MS = 1_000;
/** What happens because of announcements, or by itself. */
const OWN_EVENTS: ReadonlySet<string> = new Set(
  [...announcementEvents, notificationsCreated, deliveriesRecorded, heartbeat].map(({ type }) => type),
);
const SHORTEST_PAUSE_MS = 20;

interface AnnouncementLease extends LeaseRow {
  at?: Date;
}

type Step = (announcement: Announcement) => Promise<void>;
type Update = UpdateFilter<Announcement>;

export interface AnnouncementWorkerOptions {
  database: Database;
  progress: AnnouncementProgress;
  clock: Clock;
  audiences: Audiences;
  writer: NotificationWriter;
  stopping: Stopping;
  /** How long the lease holds without renewal, in milliseconds. */
  leaseMs: number;
  log: Log;
}

/**
 * Sends announcements, a page of recipients at a time. One worker at a time does it for all, under a lease: each page
 * is written in one transaction with the place that the announcement has reached, so that whoever takes over from a
 * worker that died goes on exactly there. Several announcements take turns.
 *
 * Nobody else is to notice: while anybody does anything it goes in small steps and rests twice as long after each, which
 * leaves two thirds of what the database can do. And what it writes waits in the slow lane of the delivery queues.
 */
export class AnnouncementWorker extends FeedWorker {
  private readonly announcements: Collection<Announcement>;
  private readonly lease: Lease<AnnouncementLease>;
  private readonly stopped = new AbortController();
  private isHeld = false;
  private othersSeenAt = -Infinity;

  constructor(private readonly options: AnnouncementWorkerOptions) {
    const { database, leaseMs, log } = options;
    super({ name: 'announcements', wokenBy: [announcementScheduled, announcementCancelled], log });
    this.announcements = database.collection(announcementCollection.name);
    this.lease = new Lease({
      db: database.db,
      rows: database.collection<AnnouncementLease>(consumersCollection.name),
      id: announcementCollection.name,
      owner: `${hostname()}-${process.pid}-${randomUUID()}`,
      ttlMs: leaseMs,
    });
  }

  override onEvents(events: DomainEvent[]): void {
    if (events.some(({ type }) => !OWN_EVENTS.has(type))) this.othersSeenAt = performance.now();
    super.onEvents(events);
  }

  /** Finishes the page at hand. */
  override stop(): Promise<void> {
    this.stopped.abort();
    return super.stop();
  }

  protected override async work(): Promise<number> {
    if (!(await this.due()) || !(await this.lease.tryAcquire())) return 0;
    this.isHeld = true;
    this.lease.keepRenewed(() => (this.isHeld = false));
    let steps = 0;
    try {
      for (let next = await this.due(); next && this.goesOn(); next = await this.due()) {
        const begun = performance.now();
        await this.take(next);
        steps += 1;
        await this.rest(performance.now() - begun);
      }
    } finally {
      await this.lease.release();
    }
    return steps;
  }

  /** Whether nobody else does anything just now, as far as the feed shows. */
  private isAlone(): boolean {
    return performance.now() - this.othersSeenAt > ALONE_AFTER_MS;
  }

  private goesOn(): boolean {
    return this.isHeld && !this.stopped.signal.aborted;
  }

  private rest(milliseconds: number): Promise<void> {
    const { signal } = this.stopped;
    const due = this.isAlone() ? 0 : REST * milliseconds;
    return pause(Math.max(due, SHORTEST_PAUSE_MS), undefined, { signal }).catch(() => undefined);
  }

  /** The one that has waited longest for its turn. */
  private due(): Promise<Announcement | null> {
    return this.announcements.findOne(
      { nextAttemptAt: { $lte: this.options.clock.now() } },
      { sort: { nextAttemptAt: 1 } },
    );
  }

  /** One that cannot be moved on makes way for the others for a minute. */
  private async take(announcement: Announcement): Promise<void> {
    try {
      await this.stepOf(announcement)(announcement);
    } catch (error) {
      if (error instanceof LeaseLost || isDatabaseUnavailable(error)) throw error;
      const { clock, log } = this.options;
      const { _id, status } = announcement;
      log.error({ err: error, announcementId: _id }, 'announcements: one could not be moved on');
      await this.announcements.updateOne({ _id, status }, { $set: { nextAttemptAt: later(clock.now(), MINUTE) } });
    }
  }

  private stepOf({ status, expiresAt }: Announcement): Step {
    if (status === 'cancelled' || status === 'expired') return (ended) => this.stopDeliveries(ended);
    if (expiresAt && expiresAt <= this.options.clock.now()) return (late) => this.expire(late);
    return status === 'scheduled' ? (new_) => this.begin(new_) : (begun) => this.sendPage(begun);
  }

  private async begin(announcement: Announcement): Promise<void> {
    const { audiences, clock } = this.options;
    const startedAt = clock.now();
    const total = await audiences.count(announcement.audience, startedAt);
    await this.advance(announcement, { $set: { status: 'sending', startedAt, total, nextAttemptAt: startedAt } });
  }

  private async expire(announcement: Announcement): Promise<void> {
    const now = this.options.clock.now();
    await this.advance(announcement, { $set: { status: 'expired', endedAt: now, nextAttemptAt: now } });
  }

  private async sendPage(announcement: Announcement): Promise<void> {
    const { audiences, clock, writer } = this.options;
    const { audience, startedAt, after, expiresAt } = announcement;
    const now = clock.now();
    const limit = this.isAlone() ? PAGE : SMALL_PAGE;
    const recipients = await audiences.page(audience, { joinedBy: startedAt ?? now, after, limit });
    const last = recipients.at(-1);
    const isOver = recipients.length < limit;
    const $set = {
      ...(last && { after: last._id }),
      ...(isOver && { status: 'sent' as const, endedAt: now }),
      ...((!isOver || expiresAt) && { nextAttemptAt: isOver ? expiresAt : now }),
    };
    const update = { $set, ...(isOver && !expiresAt && { $unset: { nextAttemptAt: 1 as const } }) };
    await this.advance(announcement, update, async (session) => {
      const written = [];
      // One event for each language: its text then stands there once.
      for (const drafts of draftsByLanguage(announcement, recipients)) {
        written.push(...(await writer.write(session, drafts)));
      }
      const reached = Object.entries(reachedBy(written.map(({ channels }) => channels)));
      return {
        processed: recipients.length,
        created: written.length,
        ...Object.fromEntries(reached.map(([channel, count]) => [`reached.${channel}`, count])),
      };
    });
  }

  private async stopDeliveries(announcement: Announcement): Promise<void> {
    const { clock, stopping } = this.options;
    const { ids, upTo } = await stopping.page(announcement);
    const update: Update = upTo
      ? { $set: { stoppedUpTo: upTo, nextAttemptAt: clock.now() } }
      : { $unset: { nextAttemptAt: 1 } };
    await this.advance(announcement, update, async (session) => {
      const stopped = Object.entries(await stopping.stop(session, announcement, ids));
      return Object.fromEntries(stopped.map(([channel, count]) => [`stopped.${channel}`, count]));
    });
  }

  /**
   * Moves an announcement on, in one transaction with what that step does, and tells admins how far it is. Where it has
   * been moved on or cancelled meanwhile nothing is done.
   * @param also answers with what to add to the announcement's numbers
   */
  private async advance(
    { _id, status, after, stoppedUpTo }: Announcement,
    update: Update,
    also?: (session: ClientSession) => Promise<Record<string, number>>,
  ): Promise<void> {
    const { database, progress, clock } = this.options;
    const asFound: Filter<Announcement> = {
      ...{ _id, status },
      after: after ?? { $exists: false },
      stoppedUpTo: stoppedUpTo ?? { $exists: false },
    };
    await database.inTransaction(async (session) => {
      await this.lease.announce(session);
      // First of all, so that whoever cancels it meanwhile waits.
      const { matchedCount } = await this.announcements.updateOne(asFound, update, { session });
      if (matchedCount === 0) return;
      const $inc = (await also?.(session)) ?? {};
      await progress.add(session, _id, $inc);
      await this.lease.guard(session, { $set: { at: clock.now() } });
    });
  }
}
