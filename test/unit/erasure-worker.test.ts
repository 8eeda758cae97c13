import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { MINUTE } from '../../src/core/clock.js';
import { connectDatabase, type Database } from '../../src/core/database/database.js';
import { migrate } from '../../src/core/database/migrations.js';
import { eventCollections } from '../../src/core/events/collections.js';
import { Outbox } from '../../src/core/events/outbox.js';
import { createLog } from '../../src/core/observability/log.js';
import { nothingToExport, type PersonalData } from '../../src/core/personal-data.js';
import { ErasureWorker } from '../../src/modules/personal-data/index.js';
import { DeletionService, userCollections } from '../../src/modules/users/index.js';
import { MovableClock } from '../support/clock.js';
import { freshUri } from '../support/event-lab.js';
import { until } from '../support/until.js';

const STEPS = ['first', 'second', 'third'];
const CLAIM_MS = MINUTE;

describe('The erasure worker', () => {
  const clock = new MovableClock();
  const log = createLog('silent');
  let database: Database;
  let deletions: DeletionService;
  before(async () => {
    database = await connectDatabase(freshUri());
    const collections = [...eventCollections, ...userCollections];
    await migrate({ database, owner: 'test', collections, migrations: [], log });
    deletions = new DeletionService({ database, outbox: new Outbox({ database, clock, validate: true }), clock });
  });
  after(async () => {
    await database.db.dropDatabase();
    await database.close();
  });

  /** Someone whose erasure is due. */
  const givenUp = async (): Promise<string> => {
    const _id = new ObjectId();
    const user = { _id, name: 'Goner', email: _id.toHexString(), keys: {}, createdAt: new Date() };
    await database.collection('users').insertOne(user);
    const dueAt = clock.now();
    await database.inTransaction((session) => deletions.begin(session, _id.toHexString(), dueAt));
    return _id.toHexString();
  };
  const isThere = async (userId: string): Promise<boolean> =>
    (await database.collection('users').countDocuments({ _id: new ObjectId(userId) })) === 1;
  const told = (userId: string): Promise<number> =>
    database.collection('events').countDocuments({ type: 'user.erased', 'entity.id': userId });

  /** A worker that notes what it does, and meets with `accident` before or after the work of a step. */
  const worker = (acts: string[], accident?: { at: string; when: 'before' | 'after' }): ErasureWorker => {
    const contributors = STEPS.map((name): PersonalData => ({
      name,
      collections: [],
      export: nothingToExport,
      erase(userId) {
        if (accident?.at === name && accident.when === 'before') return Promise.reject(new Error('killed'));
        acts.push(`${name} of ${userId}`);
        if (accident?.at === name) return Promise.reject(new Error('killed'));
        return Promise.resolve();
      },
    }));
    return new ErasureWorker({ deletions, contributors, claimMs: CLAIM_MS, log });
  };
  /** Lets it do what is due. */
  const run = async (one: ErasureWorker): Promise<void> => {
    one.wake();
    await one.stop();
  };

  it('goes through the steps in order, and then the account is gone', async () => {
    const [userId, acts] = [await givenUp(), [] as string[]];
    await run(worker(acts));
    expect(acts).to.deep.equal(STEPS.map((name) => `${name} of ${userId}`));
    expect(await isThere(userId)).to.equal(false);
    expect(await told(userId)).to.equal(1);
  });

  for (const at of STEPS) {
    for (const when of ['before', 'after'] as const) {
      it(`that dies ${when} the ${at} step is followed by another, which goes on there`, async () => {
        const [userId, acts] = [await givenUp(), [] as string[]];
        await run(worker(acts, { at, when }));
        expect(await isThere(userId)).to.equal(true);

        // As long as the claim holds nobody else touches it.
        const later: string[] = [];
        await run(worker(later));
        expect(later).to.deep.equal([]);

        clock.advance(CLAIM_MS + 1);
        await run(worker(later));
        expect(later).to.deep.equal(STEPS.slice(STEPS.indexOf(at)).map((name) => `${name} of ${userId}`));
        expect(await isThere(userId)).to.equal(false);
        expect(await told(userId)).to.equal(1);
      });
    }
  }

  it('leaves an account alone that is not due, or was taken back', async () => {
    const userId = await givenUp();
    await database
      .collection('users')
      .updateOne(
        { _id: new ObjectId(userId) },
        { $set: { 'deletion.dueAt': new Date(clock.now().getTime() + MINUTE) } },
      );
    const acts: string[] = [];
    await run(worker(acts));
    expect(acts).to.deep.equal([]);
    const back = await database.inTransaction((session) => deletions.takeBack(session, new ObjectId(userId)));
    expect(back).to.equal(true);
    clock.advance(2 * MINUTE);
    await run(worker(acts));
    expect(acts).to.deep.equal([]);
  });

  it('lets nobody back in once it has begun, even between two steps', async () => {
    const userId = await givenUp();
    await run(worker([], { at: 'second', when: 'before' }));
    const back = await database.inTransaction((session) => deletions.takeBack(session, new ObjectId(userId)));
    expect(back).to.equal(false);
    clock.advance(CLAIM_MS + 1);
    await run(worker([]));
    expect(await isThere(userId)).to.equal(false);
  });

  it('shares the work with others: of many at once each account is erased by one', async () => {
    const users = await Promise.all(Array.from({ length: 10 }, givenUp));
    const acts: string[] = [];
    const workers = Array.from({ length: 4 }, () => worker(acts));
    for (const one of workers) one.wake();
    await until(
      () => database.collection('users').countDocuments({ deletion: { $exists: true } }),
      (count) => count === 0,
    );
    await Promise.all(workers.map((one) => one.stop()));
    expect(acts.length).to.equal(users.length * STEPS.length);
    expect(new Set(acts).size).to.equal(acts.length);
  });

  it('whose claim was taken over does not go on', async () => {
    const [userId, acts] = [await givenUp(), [] as string[]];
    const claimed = (await deletions.claim(CLAIM_MS))!;
    clock.advance(CLAIM_MS + 1);
    await run(worker(acts));
    expect(await deletions.noteStep(claimed, 'first')).to.equal(false);
    await deletions.finish(claimed);
    expect(await told(userId)).to.equal(1);
  });
});
