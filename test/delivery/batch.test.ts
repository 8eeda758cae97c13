import { expect } from 'chai';
import { HOUR } from '../../src/core/clock.js';
import { until } from '../support/until.js';
import { gate, Scene } from './scene.js';

describe('A batch of notifications', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  afterEach(() => scene.edge.smtp.clear());
  after(() => scene.close());

  it('reaches 1,000 people in the app, each once', async () => {
    const people = await scene.crowd(999);
    const watcher = await scene.register();
    const socket = await watcher.connect('/notifications');

    const batchId = await scene.notify([watcher, ...people], { title: 'To all' });

    expect((await socket.next('notification:new')).title).to.equal('To all');
    const channels = { inApp: { unread: 1_000 } };
    expect(await scene.progress(batchId)).to.deep.include({
      id: batchId,
      status: 'done',
      recipients: 1_000,
      created: 1_000,
      channels,
    });
    const recipients = await scene.campus.db.collection('notifications').distinct('userId', { title: 'To all' });
    expect(recipients).to.have.length(1_000);

    await watcher.put('/notifications/read-all');
    expect((await scene.progress(batchId)).channels).to.deep.equal({ inApp: { unread: 999, read: 1 } });
    expect(socket.all('notification:new')).to.have.length(1);
    watcher.disconnect();
  });

  it('goes out beside others to the same people, who get each of them once and counted', async () => {
    const [one, other, third] = await Promise.all([scene.register(), scene.register(), scene.register()]);
    const pairs = [
      [one, other],
      [other, third],
      [third, one],
    ];
    const titles = Array.from({ length: 12 }, (_, index) => `Notice ${index}`);
    await Promise.all(titles.map((title, index) => scene.notify(pairs[index % pairs.length]!, { title })));

    for (const person of [one, other, third]) {
      const unread = () => person.get('/notifications/unread-count').then(({ body }) => body.count as number);
      await until(unread, (count) => count === 8);
      const { data } = (await person.get('/notifications?limit=20')).body as { data: { title: string }[] };
      const mine = titles.filter((_title, index) => pairs[index % pairs.length]!.includes(person));
      expect(data.map(({ title }) => title)).to.have.members(mine);
    }
  });

  it('counts how far it has come while it goes out', async () => {
    const people = await scene.crowd(120);
    const [slow] = people;
    const { open, opened } = gate();
    scene.edge.smtp.onReceived(({ envelope }) => (envelope.to.includes(slow!.email) ? opened : undefined));

    const batchId = await scene.notify(people, { channels: ['email'] });

    // One mail is held back; those that were taken up with it are recorded all the same.
    const { created, channels } = await until(
      () => scene.progress(batchId),
      (progress) => progress.channels.email?.sent === 119,
    );
    expect(created).to.equal(120);
    expect(channels).to.deep.equal({ inApp: { unread: 120 }, email: { sent: 119, sending: 1 } });

    open();
    expect((await scene.allSent(batchId, ['email'])).channels.email).to.deep.equal({ sent: 120 });
    const addresses = scene.edge.smtp.received.map(({ envelope }) => envelope.to.join());
    expect(addresses.sort()).to.deep.equal(people.map(({ email }) => email).sort());
  });

  it('asked for at a later time is sent then and not before', async () => {
    const [person, admin] = [await scene.register(), await scene.api.admin()];
    const { body } = await admin.post('/notifications', {
      userIds: [person.id],
      type: 'SYSTEM',
      title: 'In an hour',
      body: 'Now',
      sendAt: new Date(scene.campus.clock.now().getTime() + HOUR).toISOString(),
    });
    await scene.notify([person], { title: 'Marker' });
    expect((await scene.notification(person)).title).to.equal('Marker');
    expect(await scene.progress(body.batchId)).to.deep.include({ status: 'pending', created: 0, channels: {} });

    await scene.advance(61, person);
    expect((await scene.notification(person, ({ title }) => title === 'In an hour')).body).to.equal('Now');
    expect(await scene.progress(body.batchId)).to.deep.include({ status: 'done', created: 1 });
  });
});
