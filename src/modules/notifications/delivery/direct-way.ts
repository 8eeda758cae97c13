import { type Database } from '../../../core/database/database.js';
import { type Notification } from '../notification.model.js';
import { type OutsideChannel } from '../notification.types.js';
import { type Known } from './channel-sender.js';
import { type ChannelWorker } from './channel-worker.js';

/** What was claimed on a channel for being sent at once. */
export interface Begun {
  channel: OutsideChannel;
  claimed: Notification[];
}

/**
 * From whoever writes notifications straight to whoever sends them in the same process. What is due at once is written
 * under the sender's claim, so that nobody has to look for it and write that down. Where this process has no hand free
 * for it, or sends nothing at all, it is written as due, for any worker.
 */
export class DirectWay {
  private readonly workers = new Map<OutsideChannel, ChannelWorker>();

  constructor(private readonly deps: { database: Database }) {}

  /** From now on what is due on this channel may go to this worker. */
  leadTo(channel: OutsideChannel, worker: ChannelWorker): void {
    this.workers.set(channel, worker);
  }

  /**
   * Claims what it can of notifications that are about to be written in the caller's transaction.
   * @param known what was read to decide about them
   * @returns what is being sent from then on, which the caller has to tell
   */
  claim(notifications: readonly Notification[], known: Known): Begun[] {
    return [...this.workers].flatMap(([channel, worker]) => {
      const due = notifications.filter((each) => isDueAtOnce(each, channel));
      const taken = worker.claimNew(due, known);
      if (!taken) return [];
      this.deps.database.afterCommit(taken.begin);
      return [{ channel, claimed: taken.claimed }];
    });
  }
}

/** What is one of very many waits for all others. */
function isDueAtOnce({ bulk, channels, createdAt }: Notification, channel: OutsideChannel): boolean {
  const { status, reason, nextAttemptAt } = channels[channel] ?? {};
  return bulk !== true && status === 'pending' && reason == null && nextAttemptAt != null && nextAttemptAt <= createdAt;
}
