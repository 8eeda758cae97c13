import { WorkLoop } from '../../../core/jobs/work-loop.js';
import { type Clock } from '../../../core/clock.js';
import { type Log } from '../../../core/observability/log.js';
import { decideAgain } from '../channel-decision.js';
import { type EmailContext } from '../delivery/email-content.js';
import { type Outcome } from '../delivery/outcome.js';
import { OutcomeRecorder } from '../delivery/outcome-recorder.js';
import { type MailWay, sendMails } from '../delivery/send-mails.js';
import { type Notification } from '../notification.model.js';
import { NOTIFICATION_TYPES, type OutsideChannel } from '../notification.types.js';
import { quietUntil } from '../quiet-hours.js';
import { type Facts, type RecipientFacts } from '../recipient-facts.js';
import { meanwhile, tellingOf } from '../reconsideration.js';
import { renderDigest } from './digest-content.js';
import { type Digest } from './digest.model.js';
import { type ClaimedDigests, type DigestQueue, hasEnded } from './digest-queue.js';
import { nextDigest } from './digest-times.js';

export interface DigestWorkerOptions extends MailWay, Pick<EmailContext, 'publicUrl' | 'host' | 'links'> {
  queue: DigestQueue;
  facts: Pick<RecipientFacts, 'of'>;
  /** Channels that some provider serves. */
  served: ReadonlySet<OutsideChannel>;
  clock: Clock;
  /** How often a claim is renewed, in milliseconds. */
  renewMs: number;
  log: Log;
}

/** How many are dealt with at once. */
const BATCH = 50;
/** So many of what has gathered are told; the others are counted. */
const MOST_SHOWN = 20;
/** And so many are looked at for that, since some may be out of date. */
const MOST_EXAMINED = 100;
/** Every attempt killed its worker: nothing is gained by killing more of them. */
const MOST_ATTEMPTS = 10;

/** Mails digests that are due. What is out of date by then, or was read, is not in them; an empty one is not sent. */
export class DigestWorker {
  private readonly loop: WorkLoop;

  constructor(private readonly options: DigestWorkerOptions) {
    this.loop = new WorkLoop({ name: 'digests', concurrency: 1, work: () => this.work(), log: options.log });
  }

  /** Mails whatever is due; returns at once. */
  wake(): void {
    this.loop.wake();
  }

  async stop(): Promise<void> {
    this.options.route.hurry();
    await this.loop.stop();
  }

  private async work(): Promise<number> {
    const { queue, route, renewMs, log } = this.options;
    if (route.room().most === 0) return 0;
    const claimed = await queue.claim(BATCH);
    if (claimed.digests.length === 0) return 0;
    const { claim } = claimed;
    const renewal = setInterval(() => {
      queue.renew(claimed).catch((error: unknown) => log.warn({ err: error }, 'digests: a claim could not be renewed'));
    }, renewMs);
    const byId = new Map<string, Digest>();
    const recorder = new OutcomeRecorder(async (outcomes) => {
      for (const [id, outcome] of outcomes) {
        const digest = byId.get(id);
        if (digest) await queue.record(claim, digest, outcome);
      }
    });
    try {
      for (const digest of claimed.digests.filter(hasEnded)) await queue.spread(digest);
      for (const digest of await this.begin(claimed)) byId.set(digest._id.toHexString(), digest);
      await this.send(
        [...byId.values()],
        (digest, outcome) => recorder.settle(digest._id.toHexString(), outcome),
        byId,
      );
    } finally {
      // What has been answered is recorded, whatever became of the rest.
      await recorder.done().finally(() => clearInterval(renewal));
    }
    return claimed.digests.length;
  }

  /** Closes those whose time has come: not in quiet hours, and one mail in a period only. */
  private async begin({ claim, digests }: ClaimedDigests): Promise<Digest[]> {
    const { queue, facts: source, clock } = this.options;
    const now = clock.now();
    const open = digests.filter(({ isOpen }) => isOpen);
    const [facts, repeated] = await Promise.all([source.of(open.map(personal)), queue.repeated(open)]);
    const ready = digests.filter((digest) => !digest.isOpen && !hasEnded(digest));
    for (const digest of open) {
      const { quietHours, timeZone, digest: frequency } = facts.reach(personal(digest));
      const loudAt = quietHours?.email ? quietUntil(quietHours.spans, timeZone, now) : undefined;
      if (loudAt) await queue.postpone(claim, digest, loudAt);
      else if (frequency !== 'off' && repeated.includes(digest)) {
        await queue.postpone(claim, digest, nextDigest(frequency, timeZone, now));
      } else ready.push(digest);
    }
    return ready.length === 0 ? [] : queue.begin(claim, ready);
  }

  private async send(
    digests: readonly Digest[],
    settle: (digest: Digest, outcome: Outcome) => void,
    byId: ReadonlyMap<string, Digest>,
  ): Promise<void> {
    const { queue, facts: source } = this.options;
    const isHopeless = ({ delivery }: Digest): boolean => delivery.attempts > MOST_ATTEMPTS;
    for (const digest of digests.filter(isHopeless)) settle(digest, { kind: 'dead', error: 'WORKER_DIED_EACH_TIME' });
    const gathered = await Promise.all(
      digests
        .filter((digest) => !isHopeless(digest))
        .map(async (digest) => {
          await queue.dropRead(digest);
          return { digest, ...(await queue.contents(digest, MOST_EXAMINED)) };
        }),
    );
    const tellings = gathered.flatMap(({ digest, newest }) => [personal(digest), ...newest.map(tellingOf)]);
    const facts = await source.of(tellings);
    const emails = [];
    for (const { digest, newest, count } of gathered) {
      const dropped = this.outOfDate(newest, facts);
      await queue.drop(dropped);
      const kept = newest.filter((each) => !dropped.has(each));
      const left = count - dropped.size;
      const contact = facts.contact(digest.userId.toHexString());
      if (left === 0 || !contact) settle(digest, { kind: 'skipped', reason: 'NOTHING_LEFT' });
      // Of very many, all that were looked at were out of date: the others are looked at next.
      else if (kept.length === 0) settle(digest, { kind: 'untried', afterMs: 0 });
      else {
        const shown = kept.slice(0, MOST_SHOWN);
        emails.push(renderDigest(digest, contact, { shown, more: left - shown.length }, this.options));
      }
    }
    await sendMails(this.options, emails, (id, outcome) => {
      const digest = byId.get(id);
      if (digest) settle(digest, outcome);
    });
  }

  private outOfDate(notifications: readonly Notification[], facts: Facts): Map<Notification, Outcome> {
    const { served, clock } = this.options;
    const dropped = new Map<Notification, Outcome>();
    for (const notification of notifications) {
      const { category, urgency } = NOTIFICATION_TYPES[notification.type];
      const reach = facts.reach(tellingOf(notification));
      const input = { category, urgency, reach, served, allowed: undefined, isGathered: true, now: clock.now() };
      const decision = decideAgain('email', meanwhile(notification, facts), input);
      if (decision.kind === 'cancelled' || decision.kind === 'skipped') dropped.set(notification, decision);
    }
    return dropped;
  }
}

/** What is known of its recipient, whatever it is about. */
function personal({ userId }: Digest) {
  return { userId: userId.toHexString(), actorIds: [], about: [] };
}
