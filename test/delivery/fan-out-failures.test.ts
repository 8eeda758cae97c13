import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { MINUTE } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { minutesUntil, Scene } from './scene.js';

describe('A batch that cannot be written', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene.close());

  const batches = () => scene.campus.db.collection('notificationBatches');
  const inboxes = () =>
    scene.campus.db.collection<{ _id: ObjectId; unread: number | string; position: number }>('notificationInboxes');
  const failed = (batchId: string, attempts: number): Promise<Json> =>
    until(
      () => batches().findOne({ _id: new ObjectId(batchId) }),
      (batch) => batch!['attempts'] === attempts && batch!['claim'] === undefined,
    );
  const failing = async (): Promise<number> => {
    const metrics = await (await fetch(`${scene.api.url}/metrics`)).text();
    const line = metrics.split('\n').find((one) => one.startsWith('atrium_work_failing{kind="batches"}'));
    return Number(line?.split(' ').at(-1));
  };
  const titles = async (person: Person): Promise<string[]> =>
    (await person.get('/notifications')).body.data.map(({ title }: Json) => title as string) as string[];

  it('makes way for others, for longer each time, is seen in the metrics, and goes out once it can', async () => {
    const [broken, fine] = [await scene.register(), await scene.register()];
    const _id = new ObjectId(broken.id);
    // Nothing can be counted in it, so that nothing can be written for its owner.
    await inboxes().insertOne({ _id, unread: 'many', position: 0 });
    expect(await failing()).to.equal(0);
    const [first, second] = [
      await scene.notify([fine, broken], { title: 'Stuck' }),
      await scene.notify([broken, fine], { title: 'Stuck, too' }),
    ];
    for (const batchId of [first, second]) {
      expect(minutesUntil(await failed(batchId, 1), scene.campus.clock.now())).to.be.within(0.8, 1.2);
    }
    expect(await failing()).to.equal(2);
    await scene.notify([fine], { title: 'In its usual time' });
    await until(async () => (await titles(fine)).includes('In its usual time'));
    expect(await titles(fine)).not.to.include('Stuck');

    await scene.advance(1.5, fine, broken);
    expect(minutesUntil(await failed(first, 2), scene.campus.clock.now())).to.be.within(4.5, 6);
    await failed(second, 2);
    await scene.advance(6.5, fine, broken);
    expect(minutesUntil(await failed(first, 3), scene.campus.clock.now())).to.be.within(25, 36);
    await failed(second, 3);
    // It is never given up.
    await scene.advance(37, fine, broken);
    expect(minutesUntil(await failed(first, 4), scene.campus.clock.now())).to.be.within(25, 36);
    await failed(second, 4);

    await inboxes().updateOne({ _id }, { $set: { unread: 0 } });
    scene.campus.clock.advance(37 * MINUTE);
    for (const person of [fine, broken]) {
      const again = await scene.api.signIn(person.email, person.password);
      await until(async () => (await titles(again)).filter((title) => title.startsWith('Stuck')).length === 2);
    }
    expect(await failing()).to.equal(0);
    const stored = await batches().findOne({ _id: new ObjectId(first) });
    expect(stored).to.include({ status: 'done' });
    expect(stored).not.to.have.any.keys('attempts', 'claim', 'session', 'takenOver', 'nextAttemptAt');
  });
});
