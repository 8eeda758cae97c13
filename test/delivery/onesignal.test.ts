import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { Scene } from './scene.js';

describe('Pushes by OneSignal', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.withOneSignal();
  });
  afterEach(() => {
    const { oneSignal } = scene.edge;
    oneSignal.received.length = 0;
  });
  after(() => scene.close());

  const devicesOf = ({ id }: { id: string }) =>
    scene.campus.db.collection('devices').countDocuments({ userId: new ObjectId(id) });

  it('go to a thousand phones in one call, each phone once', async () => {
    const people = await scene.crowd(600, { phones: 2 });
    const batchId = await scene.notify(people, { channels: ['mobilePush'], title: 'إعلان', body: 'مرحبا' });
    await scene.allSent(batchId, ['mobilePush']);

    const calls = scene.edge.oneSignal.received.map(({ notification }) => notification);
    // Two batches are claimed of the 600: that of 500, and the rest.
    expect(Math.max(...calls.map((call) => call.include_subscription_ids.length))).to.equal(1_000);
    expect(calls.flatMap((call) => call.include_subscription_ids)).to.have.members(
      people.flatMap(({ tokens }) => tokens),
    );
    const [{ headings, contents, data, ttl, thread_id: thread }] = calls as [(typeof calls)[number]];
    expect({ headings, contents, ttl, thread }).to.deep.equal({
      headings: { en: 'إعلان' },
      contents: { en: 'مرحبا' },
      ttl: 7 * 86_400,
      thread: `batch:${batchId}`,
    });
    expect(data).to.deep.equal({ type: 'SYSTEM', deepLink: '/notifications', dedupeKey: `batch:${batchId}` });
    expect(scene.edge.fcm.received).to.deep.equal([]);
  });

  it('forget a phone that OneSignal does not know, and keep one on which they are switched off', async () => {
    const [both, gone, off] = await Promise.all([scene.register(), scene.register(), scene.register()]);
    const [, lost] = [await scene.phone(both), await scene.phone(both)];
    const [other, silent] = [await scene.phone(gone), await scene.phone(off)];
    for (const token of [lost, other]) scene.edge.oneSignal.forget(token);
    scene.edge.oneSignal.unsubscribe(silent);
    for (const person of [both, gone, off]) await scene.notify([person], { channels: ['mobilePush'] });

    const [sent] = await scene.edge.oneSignal.waitFor(({ id }) => id !== '');
    expect(await scene.delivery(both, 'mobilePush', 'sent')).to.include({ attempts: 1, providerMessageId: sent!.id });
    expect(await scene.delivery(gone, 'mobilePush', 'dead')).to.include({ error: 'DEVICE_GONE' });
    expect(await scene.delivery(off, 'mobilePush', 'dead')).to.include({ error: 'NOT_SUBSCRIBED' });
    expect(await Promise.all([both, gone, off].map(devicesOf))).to.deep.equal([1, 0, 1]);
  });

  it('are cut where a text is long, and say the title where there is no more to say', async () => {
    const [long, short] = await Promise.all([scene.register(), scene.register()]);
    await Promise.all([scene.phone(long), scene.phone(short)]);
    await scene.notify([long], { channels: ['mobilePush'], title: 'Long\ntext', body: '長'.repeat(1_000) });
    await scene.delivery(long, 'mobilePush', 'sent');
    const [call] = await scene.edge.oneSignal.waitFor(
      ({ notification: { headings } }) => headings['en'] === 'Long text',
    );
    const text = call!.notification.contents['en']!;
    expect(Buffer.byteLength(text)).to.be.within(2_000, 3_000);
    expect(text.endsWith('…')).to.equal(true);

    await long.post('/connections', { userId: short.id });
    const [asked] = await scene.edge.oneSignal.waitFor(
      ({ notification: { data } }) => data['type'] === 'CONNECTION_REQUEST',
    );
    expect(asked!.notification.contents).to.deep.equal(asked!.notification.headings);
  });
});
