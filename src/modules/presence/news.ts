import { SECOND } from '../../core/clock.js';
import { type Log } from '../../core/observability/log.js';
import { type Broadcaster } from '../../core/realtime/namespace.js';
import { type PresenceState } from './presence.model.js';
import { type PresenceStore } from './presence.store.js';
import { type Watching } from './watching.js';

/** What nodes tell each other: who has changed and how, or that a node is gone with whoever was on it. */
export interface PresenceNews {
  changed?: PresenceState[];
  isNodeGone?: boolean;
}

export interface NewsDeps {
  store: Pick<PresenceStore, 'changedWithin'>;
  watching: Pick<Watching, 'note' | 'isNeeded'>;
  log: Log;
  /** Whatever this node was not told of it knows so much later, in milliseconds. */
  lookEveryMs?: number;
}

/** What is committed late may have been given its time some seconds before. */
const OVERLAP_MS = 10 * SECOND;

/**
 * Brings what changes to those who watch it here and on the other nodes. Nodes tell each other in passing, which may be
 * lost: so each of them looks now and then what has changed since it last looked, by one query, if anyone watches.
 */
export class News {
  private broadcaster: Broadcaster | undefined;
  private timer: NodeJS.Timeout | undefined;
  private lookedAt = performance.now();
  private looking: Promise<void> | undefined;

  constructor(private readonly deps: NewsDeps) {}

  /** From here on there is someone to tell. */
  open(broadcaster: Broadcaster): void {
    const { lookEveryMs = 30 * SECOND } = this.deps;
    this.broadcaster = broadcaster;
    this.timer = setInterval(() => this.lookIfNeeded(), lookEveryMs);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  /** Some have changed, by this node. */
  tell(changed: PresenceState[]): void {
    this.deps.watching.note(changed);
    this.broadcaster?.relay({ changed } satisfies PresenceNews);
  }

  /** A node is gone, and this one has removed what it has left. */
  tellNodeGone(): void {
    this.broadcaster?.relay({ isNodeGone: true } satisfies PresenceNews);
    this.lookIfNeeded();
  }

  /** Another node tells. */
  hear({ changed, isNodeGone }: PresenceNews): void {
    if (changed) this.deps.watching.note(changed);
    if (isNodeGone) this.lookIfNeeded();
  }

  private lookIfNeeded(): void {
    const { watching, log } = this.deps;
    if (!watching.isNeeded) {
      // Whoever begins to watch reads how it stands.
      this.lookedAt = performance.now();
      return;
    }
    const look = (this.looking ?? Promise.resolve())
      .then(() => this.look())
      .catch((error: unknown) => log.warn({ err: error }, 'presence: what has changed could not be read'));
    this.looking = look;
  }

  private async look(): Promise<void> {
    const now = performance.now();
    const { store, watching } = this.deps;
    watching.note(await store.changedWithin(now - this.lookedAt + OVERLAP_MS));
    this.lookedAt = now;
  }
}
