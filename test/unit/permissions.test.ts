import { expect } from 'chai';
import { MongoNetworkError, ObjectId } from 'mongodb';
import { MINUTE } from '../../src/core/clock.js';
import { type Database } from '../../src/core/database/database.js';
import { type DomainEvent } from '../../src/core/events/event.js';
import { createLog } from '../../src/core/observability/log.js';
import { PERMISSIONS } from '../../src/core/visibility.js';
import { PermissionService } from '../../src/modules/privacy/index.js';
import { MovableClock } from '../support/clock.js';

const [ACTOR, TARGET, OTHER] = ['a'.repeat(24), 'b'.repeat(24), 'c'.repeat(24)] as const;

/** A service over facts that a test changes under its feet, and how often it has read them. */
function service(facts: {
  settings?: object | null;
  connected?: boolean;
  hidden?: boolean;
  fails?: string;
  failure?: Error;
}) {
  const clock = new MovableClock();
  const reads = { settings: 0, ties: 0 };
  const answer = <T>(what: string, value: T): Promise<T> =>
    facts.fails === what ? Promise.reject(facts.failure ?? new Error('a defect')) : Promise.resolve(value);
  const findOne = () => {
    reads.settings += 1;
    return answer('settings', facts.settings ?? null);
  };
  const permissions = new PermissionService({
    database: { collection: () => ({ findOne }) } as unknown as Database,
    clock,
    log: createLog('silent'),
    visibility: { areHidden: () => answer('blocks', facts.hidden ?? false) },
    ties: {
      areConnected: () => {
        reads.ties += 1;
        return answer('ties', facts.connected ?? false);
      },
    },
  });
  return { permissions, facts, reads, clock };
}

function eventOf(type: string, entity: DomainEvent['entity'], data: unknown, userIds: string[]): DomainEvent {
  return { _id: new ObjectId(), type, at: new Date(), entity, audience: { userIds }, data };
}

describe('Permissions', () => {
  it('follow from the other’s choice, connection and block', async () => {
    for (const permission of PERMISSIONS) {
      for (const [audience, stranger, connection] of [
        ['everyone', true, true],
        ['connections', false, true],
        ['nobody', false, false],
      ] as const) {
        const settings = { [permission]: audience };
        expect(await service({ settings }).permissions.can(ACTOR, permission, TARGET)).to.equal(stranger);
        const tied = service({ settings, connected: true }).permissions;
        expect(await tied.can(ACTOR, permission, TARGET)).to.equal(connection);
        const apart = service({ settings, connected: true, hidden: true }).permissions;
        expect(await apart.can(ACTOR, permission, TARGET)).to.equal(false);
        expect(await service({ settings }).permissions.can(TARGET, permission, TARGET), 'oneself').to.equal(true);
      }
    }
  });

  it('are denied where something cannot be found out, and found out again afterwards', async () => {
    for (const fails of ['settings', 'ties', 'blocks']) {
      const { permissions, facts } = service({ settings: { call: 'connections' }, connected: true, fails });
      expect(await permissions.can(ACTOR, 'call', TARGET), fails).to.equal(false);
      delete facts.fails;
      expect(await permissions.can(ACTOR, 'call', TARGET), fails).to.equal(true);
    }
  });

  it('are neither given nor denied while the database is out of reach, but for who may see whom', async () => {
    for (const fails of ['settings', 'ties', 'blocks']) {
      const { permissions, facts } = service({ settings: { call: 'connections' }, connected: true, fails });
      facts.failure = new MongoNetworkError('cut off');
      const refusal = await permissions.can(ACTOR, 'call', TARGET).catch((error: unknown) => error);
      expect(refusal, fails).to.equal(facts.failure);
    }
    const { permissions, facts } = service({ fails: 'settings' });
    facts.failure = new MongoNetworkError('cut off');
    expect(await permissions.canSeePresence(ACTOR, TARGET)).to.equal(false);
  });

  it('let others see when one is here by the rule for activity, as long as one shows it at all', async () => {
    for (const [settings, stranger, connection] of [
      [{}, true, true],
      [{ viewActivity: 'connections' }, false, true],
      [{ viewActivity: 'nobody' }, false, false],
      [{ showActivityStatus: false }, false, false],
    ] as const) {
      expect(await service({ settings }).permissions.canSeePresence(ACTOR, TARGET)).to.equal(stranger);
      const tied = service({ settings, connected: true }).permissions;
      expect(await tied.canSeePresence(ACTOR, TARGET)).to.equal(connection);
      expect(await service({ settings, hidden: true }).permissions.canSeePresence(ACTOR, TARGET)).to.equal(false);
      expect(await service({ settings }).permissions.canSeePresence(TARGET, TARGET), 'oneself').to.equal(true);
    }
    expect(await service({ fails: 'settings' }).permissions.canSeePresence(ACTOR, TARGET)).to.equal(false);
  });

  it('are remembered, for five minutes at most', async () => {
    const { permissions, facts, reads, clock } = service({ settings: { call: 'connections' }, connected: true });
    for (let turn = 0; turn < 3; turn += 1) expect(await permissions.can(ACTOR, 'call', TARGET)).to.equal(true);
    expect(reads).to.deep.equal({ settings: 1, ties: 1 });
    // A change that no event tells of.
    Object.assign(facts, { settings: { call: 'nobody' } });
    clock.advance(5 * MINUTE - 1_000);
    expect(await permissions.can(ACTOR, 'call', TARGET)).to.equal(true);
    clock.advance(1_001);
    expect(await permissions.can(ACTOR, 'call', TARGET)).to.equal(false);
  });

  it('are forgotten by the events that change them, and by no others', async () => {
    const { permissions, facts, reads } = service({ settings: { call: 'connections' }, connected: true });
    expect(await permissions.can(ACTOR, 'call', TARGET)).to.equal(true);
    const connection = { kind: 'connection', id: OTHER };
    permissions.onEvents([
      eventOf('connection.removed', connection, {}, [ACTOR, OTHER]),
      eventOf('privacy.changed', { kind: 'user', id: OTHER }, { userId: OTHER }, [OTHER]),
      eventOf('post.created', { kind: 'post', id: OTHER }, {}, [ACTOR, TARGET]),
    ]);
    expect(await permissions.can(ACTOR, 'call', TARGET)).to.equal(true);
    expect(reads).to.deep.equal({ settings: 1, ties: 1 });

    facts.connected = false;
    permissions.onEvents([eventOf('connection.removed', connection, {}, [TARGET, ACTOR])]);
    expect(await permissions.can(ACTOR, 'call', TARGET)).to.equal(false);
    facts.settings = { call: 'everyone' };
    permissions.onEvents([eventOf('privacy.changed', { kind: 'user', id: TARGET }, { userId: TARGET }, [TARGET])]);
    expect(await permissions.can(ACTOR, 'call', TARGET)).to.equal(true);
  });

  it('are all forgotten where the feed has missed something', async () => {
    const { permissions, facts } = service({ settings: { call: 'connections' }, connected: true });
    expect(await permissions.can(ACTOR, 'call', TARGET)).to.equal(true);
    facts.connected = false;
    permissions.onGap();
    expect(await permissions.can(ACTOR, 'call', TARGET)).to.equal(false);
  });
});
