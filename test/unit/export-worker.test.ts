import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { HOUR, MINUTE } from '../../src/core/clock.js';
import { connectDatabase, type Database } from '../../src/core/database/database.js';
import { migrate } from '../../src/core/database/migrations.js';
import { eventCollections } from '../../src/core/events/collections.js';
import { Outbox } from '../../src/core/events/outbox.js';
import { createLog } from '../../src/core/observability/log.js';
import { exportedList, type PersonalData } from '../../src/core/personal-data.js';
import { localStorage } from '../../src/core/storage/local-storage.js';
import { ExportService } from '../../src/modules/personal-data/export.service.js';
import { ExportWorker } from '../../src/modules/personal-data/export.worker.js';
import { personalDataCollections } from '../../src/modules/personal-data/index.js';
import { MovableClock } from '../support/clock.js';
import { freshUri } from '../support/event-lab.js';

describe('The export worker', () => {
  const clock = new MovableClock();
  const log = createLog('silent');
  let [database, folder]: [Database, string] = [] as never;
  before(async () => {
    database = await connectDatabase(freshUri());
    folder = await mkdtemp(join(tmpdir(), 'atrium-exports-'));
    const collections = [...eventCollections, ...personalDataCollections];
    await migrate({ database, owner: 'test', collections, migrations: [], log });
  });
  after(async () => {
    await database.db.dropDatabase();
    await database.close();
    await rm(folder, { recursive: true });
  });

  /** Works off what is due, with one contributor. */
  const run = async (contributor: () => Promise<void>): Promise<void> => {
    const contributors: PersonalData[] = [
      {
        name: 'test',
        collections: [],
        async *export() {
          await contributor();
          yield* exportedList('things', [{ thing: 1 }], (thing) => thing);
        },
        erase: () => Promise.resolve(),
      },
    ];
    const outbox = new Outbox({ database, clock, validate: true });
    const storage = localStorage(folder);
    const worker = new ExportWorker({ database, outbox, clock, storage, contributors, claimMs: MINUTE, log });
    worker.wake();
    await worker.stop();
  };
  const service = () =>
    new ExportService({
      database,
      clock,
      outbox: new Outbox({ database, clock, validate: true }),
      storage: localStorage(folder),
      // Codes are proven elsewhere.
      requireCode: () => Promise.resolve(),
    });
  const ask = async (): Promise<string> => {
    const userId = new ObjectId().toHexString();
    await service().request(userId, '000000');
    return userId;
  };
  const statusOf = async (userId: string) => (await service().latest(userId))?.status;
  const files = async (userId: string): Promise<string[]> => readdir(join(folder, userId, 'exports')).catch(() => []);
  const ready = (userId: string): Promise<number> =>
    database.collection('events').countDocuments({ type: 'export.ready', 'data.userId': userId });

  it('tries what fails again, later and later, and gives it up in the end; then it can be asked for anew', async () => {
    const userId = await ask();
    let tries = 0;
    const fail = () => {
      tries += 1;
      return Promise.reject(new Error('out of order'));
    };
    await run(fail);
    await run(fail);
    expect([tries, await statusOf(userId)]).to.deep.equal([1, 'pending']);
    for (let i = 0; i < 5; i += 1) {
      clock.advance(HOUR);
      await run(fail);
    }
    expect([tries, await statusOf(userId)]).to.deep.equal([4, 'failed']);
    await service().request(userId, '000000');
    await run(() => Promise.resolve());
    expect(await statusOf(userId)).to.equal('ready');
  });

  it('makes it after all where only the first attempt failed', async () => {
    const userId = await ask();
    await run(() => Promise.reject(new Error('out of order')));
    clock.advance(2 * MINUTE);
    await run(() => Promise.resolve());
    expect([await statusOf(userId), await ready(userId)]).to.deep.equal(['ready', 1]);
    expect(await files(userId)).to.have.length(1);
  });

  it('that is slow keeps its claim, and when it loses it leaves the export to the other one', async () => {
    const userId = await ask();
    await run(async () => {
      // As though it had slept for longer than its claim holds.
      clock.advance(2 * MINUTE);
      await run(() => Promise.resolve());
      expect(await statusOf(userId)).to.equal('ready');
    });
    expect([await statusOf(userId), await ready(userId)]).to.deep.equal(['ready', 1]);
    expect(await files(userId)).to.have.length(1);
  });

  it('keeps no file of someone who was erased meanwhile', async () => {
    const userId = await ask();
    await run(async () => {
      await database.collection('exports').deleteMany({ userId: new ObjectId(userId) });
    });
    expect([await files(userId), await ready(userId)]).to.deep.equal([[], 0]);
  });
});
