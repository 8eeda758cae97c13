import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { type Document } from 'mongodb';
import { jobCollections } from '../../src/core/jobs/collections.js';
import { type JobDefinition } from '../../src/core/jobs/job.js';
import { Scheduler } from '../../src/core/jobs/scheduler.js';
import { EventLab } from '../support/event-lab.js';
import { until } from '../support/until.js';

describe('The scheduler of background work', () => {
  let lab: EventLab;
  let schedulers: Scheduler[] = [];
  beforeEach(async () => {
    lab = await EventLab.open(jobCollections);
  });
  afterEach(async () => {
    for (const scheduler of schedulers.splice(0)) await scheduler.stop();
    await lab.close();
  });

  const jobs = () => lab.database.collection('agendaJobs');
  const job = (choices: Partial<JobDefinition> & Pick<JobDefinition, 'name'>): JobDefinition => ({
    concurrency: 1,
    lockMs: 60_000,
    run: () => Promise.resolve(),
    ...choices,
  });

  function create(...definitions: JobDefinition[]): Scheduler {
    const owner = `owner-${randomBytes(3).toString('hex')}`;
    const scheduler = new Scheduler({
      database: lab.database,
      owner,
      jobs: definitions,
      log: lab.logger,
      pollMs: 50,
    });
    schedulers = [...schedulers, scheduler];
    return scheduler;
  }

  it('has a recurring job once, however many nodes start at the same time', async () => {
    const nodes = Array.from({ length: 5 }, () => create(job({ name: 'sweep', everyMs: 60_000 })));
    await Promise.all(nodes.map((node) => node.start()));
    expect(await jobs().countDocuments({ name: 'sweep' })).to.equal(1);
  });

  it('runs a recurring job again and again, and knows when it last did', async () => {
    let runs = 0;
    const node = create(job({ name: 'sweep', everyMs: 1_000, run: () => Promise.resolve(void (runs += 1)) }));
    expect(await node.sinceLastRun()).to.equal(undefined);
    await node.start();
    await until(() => runs >= 2);
    expect(await until(() => node.sinceLastRun())).to.be.within(0, 5_000);
  });

  it('leaves a run in progress locked and a disabled job disabled when a node starts anew', async () => {
    const earlier = create(job({ name: 'locked', everyMs: 60_000 }), job({ name: 'disabled', everyMs: 1_000 }));
    await earlier.start();
    // While it runs the time of its end is there, but null; and a stop does not wait for the write that sets it.
    const isDone = { lastFinishedAt: { $type: 'date' }, lockedAt: null };
    await until(async () => (await jobs().countDocuments(isDone)) === 2);
    await earlier.stop();
    const lockedAt = new Date();
    await jobs().updateOne({ name: 'locked' }, { $set: { lockedAt } });
    await jobs().updateOne({ name: 'disabled' }, { $set: { disabled: true } });
    const last = await jobs().findOne({ name: 'disabled' });

    let [wrong, marker] = [0, 0];
    const count = () => Promise.resolve(void (wrong += 1));
    await create(
      job({ name: 'locked', everyMs: 60_000, run: count }),
      job({ name: 'disabled', everyMs: 1_000, run: count }),
      job({ name: 'marker', everyMs: 1_000, run: () => Promise.resolve(void (marker += 1)) }),
    ).start();
    await until(() => marker >= 2);

    expect(wrong).to.equal(0);
    expect((await jobs().findOne({ name: 'locked' }))!['lockedAt']).to.deep.equal(lockedAt);
    const disabled = await jobs().findOne({ name: 'disabled' });
    expect(disabled).to.deep.include({ disabled: true, lastFinishedAt: last!['lastFinishedAt'] });
  });

  it('takes over the interval of a new version without making a second job', async () => {
    await create(job({ name: 'sweep', everyMs: 60_000 })).start();
    const intervals = async () => (await jobs().find({ name: 'sweep' }).toArray()).map((row) => row['repeatInterval']);
    const [before] = await intervals();
    await create(job({ name: 'sweep', everyMs: 120_000 })).start();
    const after = await intervals();
    expect(after).to.have.length(1);
    expect(after[0]).not.to.equal(before);
  });

  it('gives up a job that failed on every attempt and keeps it among the dead, with its error', async () => {
    const failing = job({ name: 'doomed', run: () => Promise.reject(new Error('no way')) });
    const node = create(failing);
    await node.start();
    await node.schedule('doomed', new Date(), { for: 'someone' });
    const row = () => jobs().findOne({ name: 'doomed' });
    for (let attempt = 1; attempt <= 4; attempt++) {
      const failed = await until(
        row,
        (found: Document | null) => found?.['failCount'] === attempt && !found['lockedAt'],
      );
      expect(await node.buryExhausted(), `attempt ${attempt}`).to.equal(attempt < 4 ? 0 : 1);
      if (attempt === 4) break;
      const wait = (failed!['nextRunAt'] as Date).getTime() - Date.now();
      expect(wait, 'it is tried again after a while').to.be.above([0, 50_000, 290_000, 1_790_000][attempt]!);
      await jobs().updateOne({ name: 'doomed' }, { $set: { nextRunAt: new Date() } });
    }
    expect(await row()).to.equal(null);
    const [dead, ...others] = await lab.database.collection('deadJobs').find().toArray();
    expect(others).to.be.empty;
    expect(dead).to.deep.include({ name: 'doomed', failReason: 'no way', data: { for: 'someone' } });
    expect(dead!['diedAt']).to.be.instanceOf(Date);
  });

  it('waits for what is running when it stops, and nobody else runs that meanwhile', async () => {
    let finish = (): void => undefined;
    let [started, ended] = [0, false];
    const slow = job({
      name: 'slow',
      run: async () => {
        started += 1;
        await new Promise<void>((resolve) => (finish = resolve));
        ended = true;
      },
    });
    const node = create(slow);
    await node.start();
    await node.schedule('slow', new Date(), {});
    await until(() => started === 1);
    let stopped = false;
    const stopping = node.stop().then(() => (stopped = true));

    let marker = 0;
    await create(slow, job({ name: 'marker', everyMs: 1_000, run: () => Promise.resolve(void (marker += 1)) })).start();
    await until(() => marker >= 2);
    expect([started, ended, stopped]).to.deep.equal([1, false, false]);

    finish();
    await stopping;
    expect([started, ended]).to.deep.equal([1, true]);
    await until(async () => (await jobs().countDocuments({ name: 'slow' })) === 0);
  });
});
