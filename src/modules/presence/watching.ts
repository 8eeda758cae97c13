import { SerialByKey } from '../../core/serial.js';
import { type PresenceState, type ShownState } from './presence.model.js';

/** What someone is shown of another; whoever may not see it is shown what strangers who were never here are. */
export interface ShownPresence {
  userId: string;
  state: ShownState;
  lastSeenAt?: Date;
}

/** A client that has others on its screen. */
interface Watch {
  viewerId: string;
  send: (shown: ShownPresence) => void;
  /** By the id of each user on the screen. */
  watched: Map<string, Watched>;
  /** Counts how often the set was replaced. */
  round: number;
  /** While it is being answered it is told nothing: the answer must not come after what is newer. */
  isAnswered: boolean;
  hasEnded: boolean;
}

interface Watched {
  maySee: boolean;
  /** What it was last shown. */
  shown: string;
}

export interface WatchingDeps {
  read: (userIds: string[]) => Promise<PresenceState[]>;
  /** Whether the one may see how the other stands. */
  maySee: (viewerId: string, userId: string) => Promise<boolean>;
}

/** Who on this node is told of whose presence. */
export class Watching {
  private readonly watches = new Map<string, Watch>();
  private readonly watchers = new Map<string, Set<Watch>>();
  /** Of those who are watched here, and nobody else. */
  private readonly known = new Map<string, PresenceState>();
  private readonly inOrder = new SerialByKey();

  constructor(private readonly deps: WatchingDeps) {}

  /** Whether anyone here watches anyone. */
  get isNeeded(): boolean {
    return this.watchers.size > 0;
  }

  begin(connectionId: string, viewerId: string, send: Watch['send']): void {
    const watch = { viewerId, send, watched: new Map(), round: 0, isAnswered: false, hasEnded: false };
    this.watches.set(connectionId, watch);
  }

  end(connectionId: string): void {
    const watch = this.watches.get(connectionId);
    this.watches.delete(connectionId);
    if (!watch) return;
    watch.hasEnded = true;
    this.replace(watch, []);
  }

  /** Replaces whom a client watches, and answers with how each of them stands. */
  async watch(connectionId: string, userIds: readonly string[]): Promise<ShownPresence[]> {
    return this.inOrder.run(connectionId, () => this.answer(connectionId, [...new Set(userIds)]));
  }

  /** What became of some users. What is older than what is known already is passed over. */
  note(states: readonly PresenceState[]): void {
    for (const state of states) {
      const { userId, revision } = state;
      const watchers = this.watchers.get(userId);
      if (!watchers || revision <= (this.known.get(userId)?.revision ?? 0)) continue;
      this.known.set(userId, state);
      for (const watch of watchers) this.tell(watch, userId);
    }
  }

  /**
   * Looks anew at who may see a user: everyone who watches them, or one alone. One after the other, since what is
   * remembered after the first answers the rest.
   */
  async reconsider(userId: string, viewerId?: string): Promise<void> {
    await this.inOrder.run(userId, async () => {
      for (const watch of [...(this.watchers.get(userId) ?? [])]) {
        if (viewerId !== undefined && watch.viewerId !== viewerId) continue;
        await this.look(watch, userId);
        this.tell(watch, userId);
      }
    });
  }

  /** Looks anew at everyone. */
  async reconsiderAll(): Promise<void> {
    for (const userId of [...this.watchers.keys()]) await this.reconsider(userId);
  }

  private async answer(connectionId: string, userIds: string[]): Promise<ShownPresence[]> {
    const watch = this.watches.get(connectionId);
    if (!watch) return [];
    watch.isAnswered = false;
    watch.round += 1;
    const { round } = watch;
    // From here on nothing that changes is missed: what is read now is passed over where it is older.
    this.replace(watch, userIds);
    try {
      const [states] = await Promise.all([
        this.deps.read(userIds),
        ...userIds.map((userId) => this.inOrder.run(userId, () => this.look(watch, userId))),
      ]);
      this.note(states);
    } catch (error) {
      this.replace(watch, []);
      throw error;
    }
    // Once the answer is out.
    setImmediate(() => {
      if (watch.round !== round) return;
      watch.isAnswered = true;
      for (const userId of watch.watched.keys()) this.tell(watch, userId);
    });
    return userIds.map((userId) => {
      const watched = watch.watched.get(userId);
      const shown = this.shownTo(watched, userId);
      if (watched) watched.shown = JSON.stringify(shown);
      return shown;
    });
  }

  private async look(watch: Watch, userId: string): Promise<void> {
    const maySee = await this.deps.maySee(watch.viewerId, userId);
    const watched = watch.watched.get(userId);
    if (watched) watched.maySee = maySee;
  }

  private tell(watch: Watch, userId: string): void {
    const watched = watch.watched.get(userId);
    if (!watched || !watch.isAnswered) return;
    const shown = this.shownTo(watched, userId);
    const inWords = JSON.stringify(shown);
    if (inWords === watched.shown) return;
    watched.shown = inWords;
    watch.send(shown);
  }

  private shownTo(watched: Watched | undefined, userId: string): ShownPresence {
    const known = watched?.maySee === true ? this.known.get(userId) : undefined;
    const { state = 'offline', lastSeenAt } = known ?? {};
    return { userId, state, ...(state === 'offline' && lastSeenAt && { lastSeenAt }) };
  }

  private replace(watch: Watch, userIds: readonly string[]): void {
    const wanted = new Set(watch.hasEnded ? [] : userIds);
    for (const userId of [...watch.watched.keys()]) if (!wanted.has(userId)) this.drop(watch, userId);
    for (const userId of wanted) {
      if (watch.watched.has(userId)) continue;
      watch.watched.set(userId, { maySee: false, shown: '' });
      const watchers = this.watchers.get(userId) ?? new Set();
      this.watchers.set(userId, watchers.add(watch));
    }
  }

  private drop(watch: Watch, userId: string): void {
    watch.watched.delete(userId);
    const watchers = this.watchers.get(userId);
    watchers?.delete(watch);
    if (watchers?.size !== 0) return;
    this.watchers.delete(userId);
    this.known.delete(userId);
  }
}
