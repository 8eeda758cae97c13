import { type Log } from '../observability/log.js';

export interface WorkLoopOptions {
  name: string;
  /** How many pieces of work run at once in this process. */
  concurrency: number;
  /** Claims and does one batch; answers with how much it found. */
  work: () => Promise<number>;
  log: Log;
}

/**
 * Does what is due as long as there is any, when woken: by the feed at once, by Agenda as the safety net. A wake-up
 * during a run makes it look once more, so that none is lost.
 */
export class WorkLoop {
  private readonly running = new Set<Promise<void>>();
  private wokenMeanwhile = false;
  private stopped = false;

  constructor(private readonly options: WorkLoopOptions) {}

  /** Says that something may be due; returns at once. */
  wake(): void {
    if (this.stopped) return;
    if (this.running.size >= this.options.concurrency) {
      this.wokenMeanwhile = true;
      return;
    }
    const run = this.run().finally(() => {
      this.running.delete(run);
      if (this.wokenMeanwhile) {
        this.wokenMeanwhile = false;
        this.wake();
      }
    });
    this.running.add(run);
  }

  /** Takes nothing more and waits for what is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  private async run(): Promise<void> {
    try {
      while (!this.stopped && (await this.options.work()) > 0);
    } catch (error) {
      // What was claimed is taken up again when the claim runs out.
      this.options.log.warn({ err: error, loop: this.options.name }, 'work: a batch failed; the next wake-up goes on');
    }
  }
}
