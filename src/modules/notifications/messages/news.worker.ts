import { type ClientSession, type Filter } from 'mongodb';
import { type Clock, SECOND } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type DomainEvent } from '../../../core/events/event.js';
import { type Step, StepWorker } from '../../../core/jobs/step-worker.js';
import { type Log } from '../../../core/observability/log.js';
import { messageDeleted, messageEdited, messageMentionsChanged, messageSent } from '../../chat/index.js';
import { type Dismissal } from './dismissal.js';
import { type Mentioning } from './mentioning.js';
import { TOLD_AFTER_MS } from './news.listener.js';
import { type MessageNews, messageNewsCollection } from './news.model.js';
import { type Retraction } from './retraction.js';
import { type Rewording } from './rewording.js';
import { type Telling } from './telling.js';

export interface MessageNewsWorkerOptions {
  database: Database;
  clock: Clock;
  dismissal: Dismissal;
  telling: Telling;
  mentioning: Mentioning;
  retraction: Retraction;
  rewording: Rewording;
  claimMs: number;
  log: Log;
}

const OF_NEWS = new Set<string>(
  [messageSent, messageDeleted, messageEdited, messageMentionsChanged].map(({ type }) => type),
);
const LOOK_EVERY_MS = SECOND;
/** So many conversations are told of at once: they wait for the database together. */
const CONCURRENCY = 4;

/**
 * Tells the members of conversations what they have not read and what names them, takes back what was deleted, and says
 * anew what was edited: a page in a transaction.
 * As long as something is said it looks for what is due each second, and otherwise with the sweep.
 */
export class MessageNewsWorker extends StepWorker<MessageNews> {
  private readonly dismissal: Dismissal;
  private readonly telling: Telling;
  private readonly mentioning: Mentioning;
  private readonly retraction: Retraction;
  private readonly rewording: Rewording;
  private timer: NodeJS.Timeout | undefined;
  private lookUntil = 0;
  private dismissedAt = Number.NEGATIVE_INFINITY;
  private lookedAt = new Date(0);

  constructor({ dismissal, telling, mentioning, retraction, rewording, ...options }: MessageNewsWorkerOptions) {
    super({
      ...{ name: 'messages', wokenBy: [], concurrency: CONCURRENCY, collection: messageNewsCollection.name },
      ...options,
    });
    this.dismissal = dismissal;
    this.telling = telling;
    this.mentioning = mentioning;
    this.retraction = retraction;
    this.rewording = rewording;
  }

  override onEvents(events: DomainEvent[]): void {
    if (!events.some(({ type }) => OF_NEWS.has(type))) return;
    // The follower takes note of it a moment later.
    this.lookUntil = Date.now() + TOLD_AFTER_MS + 2 * LOOK_EVERY_MS;
    this.timer ??= setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  override stop(): Promise<void> {
    this.lookUntil = 0;
    this.lookNoMore();
    return super.stop();
  }

  protected override step(session: ClientSession, news: MessageNews): Promise<Step<MessageNews>> {
    switch (news.kind) {
      case 'said':
        return this.telling.step(session, news);
      case 'edited':
        return this.mentioning.step(session, news);
      case 'deleted':
        return this.retraction.step(session, news);
      case 'reworded':
        return this.rewording.step(session, news);
    }
  }

  /** First nearly all of them go, at once, and then each of the others is told. */
  protected override async work(): Promise<number> {
    if (performance.now() - this.dismissedAt >= LOOK_EVERY_MS / 2) {
      this.dismissedAt = performance.now();
      const lookedAt = this.clock.now();
      await this.dismissal.run();
      this.lookedAt = lookedAt;
    }
    return super.work();
  }

  /** What has become due since the last look is looked at first, together; what is half done is gone on with. */
  protected override get due(): Filter<MessageNews> {
    const halfDone = { after: { $exists: true }, nextAttemptAt: { $lte: this.clock.now() } };
    return { $or: [{ nextAttemptAt: { $lte: this.lookedAt } }, halfDone] };
  }

  private look(): void {
    this.wake();
    if (Date.now() > this.lookUntil) this.lookNoMore();
  }

  private lookNoMore(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
