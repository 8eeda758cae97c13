import { type Log } from './core/observability/log.js';

/** Stops what was started, the latest first, each step after the one before has ended. */
export class Stopper {
  private readonly steps: { name: string; stop: () => Promise<void> }[] = [];
  private stopping: Promise<void> | undefined;

  constructor(private readonly log: Log) {}

  add(name: string, stop: () => Promise<void>): void {
    this.steps.push({ name, stop });
  }

  /** Asked twice it stops once. A step that fails is logged and does not keep the others from stopping. */
  stop(): Promise<void> {
    this.stopping ??= this.run();
    return this.stopping;
  }

  private async run(): Promise<void> {
    for (const { name, stop } of this.steps.reverse()) {
      try {
        await stop();
      } catch (error) {
        this.log.error({ err: error, step: name }, 'stop: a step failed');
      }
    }
  }
}
