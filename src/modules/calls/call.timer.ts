import { type Clock, SECOND } from '../../core/clock.js';
import { WorkLoop } from '../../core/jobs/work-loop.js';
import { type Log } from '../../core/observability/log.js';
import { expire } from './call.machine.js';
import { type CallStore } from './call.store.js';

/** Calls are a matter of seconds: a scheduler that looks every few would let them ring for longer than it says. */
const LOOK_MS = SECOND;

/**
 * Ends what nobody answered, and gives up those who did not come back. The time limits are stored with the calls, so
 * that they hold whoever restarts; every worker looks for them, and of two that find the same one the second finds
 * nothing left to do.
 */
export class CallTimer {
  private readonly loop: WorkLoop;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly deps: { store: CallStore; clock: Clock; log: Log }) {
    this.loop = new WorkLoop({ name: 'calls', concurrency: 1, work: () => this.work(), log: deps.log });
  }

  start(): void {
    this.timer = setInterval(() => this.loop.wake(), LOOK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.loop.stop();
  }

  private async work(): Promise<number> {
    const { store, clock } = this.deps;
    const now = clock.now();
    const due = await store.due(now);
    for (const id of due) await store.changeIfDue(id, (call) => expire(call, now));
    return due.length;
  }
}
