import { type StreamedEvent } from './event-queue.js';
import { type Feed } from './feed.js';
import { type Tap } from './tap.js';

/** Where the two have not met after so many events the feed is far behind, and is tried anew. */
const MOST_REMEMBERED = 10_000;

/** Finds where a reader that has caught up with a stream of its own can go on with what the feed brings. */
export class Handover {
  private tap: Tap | undefined;
  private handled = new Set<string>();

  constructor(
    private readonly feed: Pick<Feed, 'tap'>,
    private readonly types: ReadonlySet<string>,
  ) {
    this.tap = feed.tap(types);
  }

  /**
   * Takes note of what was handled from one's own stream.
   * @param isBehind whether more is waiting there
   * @returns the feed's tap, once it goes on where this batch has ended
   */
  after(batch: readonly StreamedEvent[], isBehind: boolean): Tap | undefined {
    if (isBehind || this.tap?.overran === true || this.handled.size > MOST_REMEMBERED) {
      this.giveUp();
      return undefined;
    }
    for (const { event } of batch) this.handled.add(event._id.toHexString());
    this.tap ??= this.feed.tap(this.types);
    return this.tap.meets(this.handled) ? this.tap : undefined;
  }

  /** The reader goes on as it is. */
  giveUp(): void {
    void this.tap?.close();
    this.tap = undefined;
    this.handled = new Set();
  }
}
