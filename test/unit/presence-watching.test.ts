import { expect } from 'chai';
import fc from 'fast-check';
import { type PresenceState } from '../../src/modules/presence/presence.model.js';
import { type ShownPresence, Watching } from '../../src/modules/presence/watching.js';
import { until } from '../support/until.js';

const VIEWERS = ['v0', 'v1'] as const;
const USERS = ['u0', 'u1', 'u2'] as const;
const STATES = ['online', 'away', 'busy', 'offline'] as const;

type Step =
  | { does: 'change'; user: number; state: (typeof STATES)[number]; isLate: boolean }
  | { does: 'allow'; viewer: number; user: number; may: boolean }
  | { does: 'watch'; viewer: number; users: number[] }
  | { does: 'pause' };

const user = fc.nat(USERS.length - 1);
const viewer = fc.nat(VIEWERS.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    does: fc.constant('change' as const),
    user,
    state: fc.constantFrom(...STATES),
    // Told only after the next one: by another node.
    isLate: fc.boolean(),
  }),
  fc.record({ does: fc.constant('allow' as const), viewer, user, may: fc.boolean() }),
  fc.record({ does: fc.constant('watch' as const), viewer, users: fc.uniqueArray(user, { maxLength: 3 }) }),
  fc.record({ does: fc.constant('pause' as const) }),
);

/** What is true, the client's view of it, and a node's watching between the two. */
class World {
  readonly stored = new Map<string, PresenceState>();
  readonly denied = new Set<string>();
  readonly asked = new Map<string, string[]>();
  /** What each client has on its screen. */
  readonly screens = new Map<string, Map<string, ShownPresence>>();
  private readonly late: PresenceState[] = [];
  readonly watching: Watching;

  constructor(private readonly delay: () => Promise<void>) {
    this.watching = new Watching({
      read: async (ids) => {
        const found = ids.flatMap((id) => this.stored.get(id) ?? []);
        await this.delay();
        return found;
      },
      maySee: async (viewerId, userId) => {
        const may = !this.denied.has(`${viewerId} ${userId}`);
        await this.delay();
        return may;
      },
    });
    for (const id of VIEWERS) {
      this.screens.set(id, new Map());
      this.watching.begin(`socket ${id}`, id, (shown) => this.screens.get(id)!.set(shown.userId, shown));
    }
  }

  take(one: Step): Promise<unknown> {
    if (one.does === 'pause') return new Promise((resolve) => setImmediate(resolve));
    if (one.does === 'change') {
      this.change(USERS[one.user]!, one);
      return Promise.resolve();
    }
    const viewerId = VIEWERS[one.viewer]!;
    if (one.does === 'watch')
      return this.watch(
        viewerId,
        one.users.map((which) => USERS[which]!),
      );
    const pair = `${viewerId} ${USERS[one.user]!}`;
    if (one.may) this.denied.delete(pair);
    else this.denied.add(pair);
    return this.watching.reconsider(USERS[one.user]!, viewerId);
  }

  private change(userId: string, { state, isLate }: { state: (typeof STATES)[number]; isLate: boolean }): void {
    const revision = (this.stored.get(userId)?.revision ?? 0) + 1;
    const next = { userId, state, revision, ...(state === 'offline' && { lastSeenAt: new Date(revision) }) };
    this.stored.set(userId, next);
    if (isLate) this.late.push(next);
    else this.watching.note([next, ...this.late.splice(0)]);
  }

  private async watch(viewerId: string, userIds: string[]): Promise<void> {
    this.asked.set(viewerId, userIds);
    const answer = await this.watching.watch(`socket ${viewerId}`, userIds);
    this.screens.set(viewerId, new Map(answer.map((shown) => [shown.userId, shown])));
  }

  async settle(): Promise<void> {
    this.watching.note(this.late.splice(0));
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  truth(viewerId: string): ShownPresence[] {
    return (this.asked.get(viewerId) ?? []).map((userId) => {
      const found = this.denied.has(`${viewerId} ${userId}`) ? undefined : this.stored.get(userId);
      const { state = 'offline', lastSeenAt } = found ?? {};
      return { userId, state, ...(state === 'offline' && lastSeenAt && { lastSeenAt }) };
    });
  }
}

describe('Whoever watches the presence of others', () => {
  it('ends with what is true and may be seen, whatever comes while it is being looked at', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.scheduler(), async (steps, scheduler) => {
        const world = new World(() => scheduler.schedule(Promise.resolve()));
        const underWay: Promise<unknown>[] = [];
        for (const one of steps) {
          underWay.push(world.take(one));
          if (one.does === 'pause') await underWay.at(-1);
          if (scheduler.count() > 0 && one.does !== 'watch') await scheduler.waitNext(1);
        }
        await scheduler.waitFor(Promise.all(underWay));
        await world.settle();
        await scheduler.waitIdle();
        for (const viewerId of VIEWERS) {
          const screen = world.screens.get(viewerId)!;
          const shown = (world.asked.get(viewerId) ?? []).map((userId) => screen.get(userId));
          expect(shown).to.deep.equal(world.truth(viewerId));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is answered before it is told what is newer than the answer', async () => {
    const heard: string[] = [];
    const watching = new Watching({ read: () => Promise.resolve([]), maySee: () => Promise.resolve(true) });
    watching.begin('socket', 'v', ({ state }) => void heard.push(state));
    // Between the answer’s being known and its being sent.
    const answer = watching.watch('socket', ['u']).then((shown) => {
      watching.note([{ userId: 'u', state: 'busy', revision: 1 }]);
      return shown;
    });
    heard.push((await answer)[0]!.state);
    await until(() => heard.length > 1);
    expect(heard).to.deep.equal(['offline', 'busy']);
  });

  it('is told of nobody once it has ended, and leaves nothing behind', async () => {
    const world = new World(() => Promise.resolve());
    await world.take({ does: 'watch', viewer: 0, users: [0, 1] });
    await world.settle();
    expect(world.watching.isNeeded).to.equal(true);
    const watching = world.watching.watch('socket v0', ['u2']);
    world.watching.end('socket v0');
    await watching;
    await world.settle();
    expect(world.watching.isNeeded).to.equal(false);
  });

  it('watches nobody where it could not be found out how they stand, and may ask again', async () => {
    const broken = new Error('out of reach');
    const reads = [Promise.reject(broken), Promise.resolve([{ userId: 'u', state: 'busy' as const, revision: 1 }])];
    for (const read of reads) read.catch(() => undefined);
    const watching = new Watching({ read: () => reads.shift()!, maySee: () => Promise.resolve(true) });
    watching.begin('socket', 'v', () => undefined);
    const failed = await watching.watch('socket', ['u']).catch((error: unknown) => error);
    expect(failed).to.equal(broken);
    expect(watching.isNeeded).to.equal(false);
    expect(await watching.watch('socket', ['u'])).to.deep.equal([{ userId: 'u', state: 'busy' }]);
  });
});
