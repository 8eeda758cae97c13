import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { Profiler } from '../support/profiler.js';
import { Scene } from './scene.js';

describe('What is due as soon as it is written', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene.close());

  it('is sent by the process that writes it without being looked for, and told like anything else', async () => {
    const people = await Promise.all(Array.from({ length: 3 }, () => scene.register()));
    const socket = await people[0]!.connect('/notifications');
    const profiler = await Profiler.start(scene.campus.db);
    await scene.notify(people, { channels: ['email'] });
    for (const person of people) await scene.delivery(person, 'email', 'sent');
    const ran = await profiler.ran();
    await profiler.stop();

    const begun = ran.filter(({ what, command }) => {
      const { $set = {} } = (command['u'] ?? {}) as { $set?: Record<string, unknown> };
      return what === 'update notifications' && $set['channels.email.status'] === 'sending';
    });
    expect(begun).to.deep.equal([]);
    const created = await socket.next('notification:new');
    expect(created.channels.email).to.include({ status: 'pending', attempts: 0 });
    const told = await scene.campus.db
      .collection('events')
      .find({ type: 'deliveries.recorded', 'data.items.notificationId': created.id })
      .sort({ _id: 1 })
      .toArray();
    const statuses = told.flatMap(({ data }) =>
      (data as { items: { notificationId: string; was: string; status: string }[] }).items
        .filter(({ notificationId }) => notificationId === created.id)
        .map(({ was, status }) => `${was} → ${status}`),
    );
    expect(statuses).to.deep.equal(['pending → sending', 'sending → sent']);
  });

  it('waits for its time where it is not due at once, and nobody has it in hand until then', async () => {
    const person = await scene.register();
    const settings = { digest: 'daily' };
    expect((await person.patch('/settings/notifications', settings)).status).to.equal(200);
    await scene.notify([person], { channels: ['email'] });
    await scene.delivery(person, 'email', 'pending');
    const stored = await scene.campus.db.collection('notifications').findOne({ userId: new ObjectId(person.id) });
    expect((stored!['channels'] as { email: object }).email).to.not.have.any.keys('claim');
  });
});
