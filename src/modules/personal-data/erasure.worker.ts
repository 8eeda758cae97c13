import { WorkLoop } from '../../core/jobs/work-loop.js';
import { type Log } from '../../core/observability/log.js';
import { type PersonalData } from '../../core/personal-data.js';
import { type ClaimedErasure, type DeletionService } from '../users/index.js';
import { whileRenewing } from './renewal.js';

export interface ErasureWorkerOptions {
  deletions: DeletionService;
  /** In the order of the steps. */
  contributors: readonly PersonalData[];
  /** How long a claim holds without renewal, in milliseconds. */
  claimMs: number;
  log: Log;
}

/**
 * Erases the accounts whose time of grace is over, step by step. What is done is kept with the account: whoever takes
 * over from a worker that died goes on with the step at which it did, which is safe to do twice.
 */
export class ErasureWorker {
  private readonly loop: WorkLoop;

  constructor(private readonly options: ErasureWorkerOptions) {
    this.loop = new WorkLoop({ name: 'erasure', concurrency: 1, work: () => this.work(), log: options.log });
  }

  /** Erases whatever is due; returns at once. */
  wake(): void {
    this.loop.wake();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async work(): Promise<number> {
    const { deletions, claimMs, log } = this.options;
    const claimed = await deletions.claim(claimMs);
    if (!claimed) return 0;
    const renew = () => deletions.renew(claimed, claimMs);
    await whileRenewing(() => this.erase(claimed), { renew, everyMs: claimMs / 3, log });
    return 1;
  }

  private async erase(claimed: ClaimedErasure): Promise<void> {
    const { deletions, contributors, log } = this.options;
    for (const contributor of contributors) {
      const { name } = contributor;
      if (claimed.done.includes(name)) continue;
      await contributor.erase(claimed.userId);
      // Another worker took it over.
      if (!(await deletions.noteStep(claimed, name))) return;
    }
    await deletions.finish(claimed);
    log.info({ userId: claimed.userId }, 'erasure: an account was erased');
  }
}
