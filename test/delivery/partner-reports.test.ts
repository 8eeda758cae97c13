import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { DAY, HOUR } from '../../src/core/clock.js';
import { expectInvalid, expectProblem } from '../api/helpers.js';
import { type Answer, type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { type OutsideChannel, Scene } from './scene.js';

const PATH = '/webhooks/deliveries';

describe('What a partner tells of messages', function () {
  // Hundreds are sent.
  this.timeout(90_000);

  let scene: Scene;
  let admin: Person;
  let [key, otherKey]: string[] = [];
  before(async () => {
    scene = await Scene.withTwilio();
    admin = await scene.api.admin();
    const issue = async (...scopes: string[]): Promise<string> =>
      (await admin.post('/api-keys', { name: 'Partner', scopes })).body.key as string;
    key = await issue('deliveries:write');
    otherKey = await issue('deliveries:write');
  });
  after(() => scene.close());

  const now = () => scene.campus.clock.now();
  const send = (events: unknown, token = key): Promise<Answer<Json>> =>
    scene.api.request('POST', PATH, { events }, { token });
  const tell = async (...events: Json[]): Promise<void> => {
    const { status, body } = await send(events);
    expect(status, JSON.stringify(body)).to.equal(204);
  };
  const event = (channel: OutsideChannel, kind: string, more: object): Json => ({
    id: randomUUID(),
    channel,
    event: kind,
    at: now().toISOString(),
    ...more,
  });
  /** Someone to whom something was sent, and what is told of that. */
  async function sent(channel: OutsideChannel) {
    const person = await scene.register();
    if (channel === 'webPush') await scene.browser(person);
    const number = channel === 'sms' ? await scene.number(person) : '';
    await scene.notify([person], { channels: [channel] });
    await scene.delivery(person, channel, 'sent');
    const { id, channels } = await scene.notification(person);
    const about = (kind: string, more: object = {}) => event(channel, kind, { notificationId: id, ...more });
    const delivery = async (): Promise<Json> => (await scene.notification(person)).channels[channel];
    const messageId = channels[channel].providerMessageId as string;
    return { person, number, id: id as string, messageId, about, delivery };
  }
  const suppressions = async (userId: string): Promise<Json[]> =>
    ((await admin.get('/admin/suppressions?limit=100')).body.data as Json[]).filter((one) => one.userId === userId);

  it('brings a delivery on any channel up to date, and is told to its owner live', async () => {
    for (const channel of ['email', 'webPush', 'sms'] as const) {
      const { person, about, delivery } = await sent(channel);
      const socket = await person.connect('/notifications');
      const at = new Date(now().getTime() - HOUR).toISOString();
      await tell(about('delivered', { at }), about('opened'));
      const { channels } = await socket.next('notification:updated', (one) => one.channels[channel]?.openedAt);
      expect(channels[channel]).to.include({ status: 'delivered', deliveredAt: at });
      expect(await delivery()).to.deep.equal(channels[channel]);
      person.disconnect();
    }
  });

  it('may come in any order, and counts once for each partner', async () => {
    const { about, delivery, person } = await sent('email');
    const [opened, delivered, bounced] = [about('opened'), about('delivered'), about('bounced', { detail: 'Full' })];
    await tell(opened);
    expect(await delivery()).to.include({ status: 'delivered' });
    const tellings = () => scene.campus.db.collection('events').countDocuments({ type: 'deliveries.recorded' });
    const before = await tellings();
    await Promise.all(Array.from({ length: 5 }, () => tell(bounced, delivered, bounced)));
    expect(await tellings()).to.equal(before + 1);
    expect(await delivery()).to.include({ status: 'dead', error: 'BOUNCED' });
    expect(await suppressions(person.id)).to.deep.equal([]);
    const [letter] = ((await admin.get('/admin/dead-letters?channel=email')).body.data as Json[]).filter(
      ({ userId }) => userId === person.id,
    );
    expect(letter).to.include({ error: 'BOUNCED', detail: 'Full' });

    // The ids of one partner say nothing of those of another.
    const other = await sent('email');
    const same = { ...other.about('delivered'), id: opened.id as string };
    await tell(same);
    expect(await other.delivery()).to.include({ status: 'sent' });
    expect((await send([same], otherKey)).status).to.equal(204);
    expect(await other.delivery()).to.include({ status: 'delivered' });
  });

  it('names a mail by its Message-ID, and an SMS by the id of its provider', async () => {
    const [mail, sms] = [await sent('email'), await sent('sms')];
    await tell(
      event('email', 'delivered', { messageId: mail.messageId }),
      event('sms', 'delivered', { messageId: sms.messageId }),
    );
    expect(await mail.delivery()).to.include({ status: 'delivered' });
    expect(await sms.delivery()).to.include({ status: 'delivered' });
  });

  it('of a complaint, or of an address that does not exist, suppresses that', async () => {
    const [mail, gone, sms] = [await sent('email'), await sent('email'), await sent('sms')];
    await tell(
      mail.about('complained'),
      gone.about('bounced', { detail: '550 5.1.1 no such user here' }),
      sms.about('complained'),
    );
    expect(await mail.delivery()).to.include({ status: 'sent' });
    expect(await gone.delivery()).to.include({ status: 'dead', error: 'BOUNCED_5.1.1' });
    const facts = async (who: Person) =>
      (await suppressions(who.id)).map(({ address, reason, source, error }) => [address, reason, source, error]);
    expect(await facts(mail.person)).to.deep.equal([[mail.person.email, 'complaint', 'partner', undefined]]);
    expect(await facts(gone.person)).to.deep.equal([[gone.person.email, 'bounce', 'partner', '5.1.1']]);
    expect(await facts(sms.person)).to.deep.equal([[sms.number, 'complaint', 'partner', undefined]]);
  });

  it('of what is not ours, or of long ago, changes nothing; the future is now', async () => {
    const { about, delivery } = await sent('email');
    const old = new Date(now().getTime() - 3 * DAY).toISOString();
    await tell(
      about('bounced', { at: old }),
      event('email', 'bounced', { notificationId: new ObjectId().toHexString() }),
      event('email', 'bounced', { messageId: '<somebody@elsewhere.test>' }),
      event('sms', 'bounced', { messageId: 'SM0' }),
      about('delivered', { at: '2099-01-01T00:00:00Z' }),
    );
    const { status, deliveredAt } = await delivery();
    expect(status).to.equal('delivered');
    expect(new Date(deliveredAt as string)).to.be.at.most(now());
  });

  it('is taken in by the thousand, from keys with that scope and from admins', async () => {
    const people = await scene.crowd(500);
    const batchId = await scene.notify(people, { channels: ['email'] });
    await scene.allSent(batchId, ['email']);
    const filter = { batchId: new ObjectId(batchId) };
    const ids = (await scene.campus.db.collection('notifications').find(filter).toArray()).map(({ _id }) =>
      _id.toHexString(),
    );
    const events = ids.flatMap((notificationId) =>
      ['delivered', 'opened'].map((kind) => event('email', kind, { notificationId })),
    );
    await tell(...events);
    expect((await scene.progress(batchId)).channels.email).to.deep.equal({ delivered: 500 });
    expectInvalid(await send([...events, events[0]]), 'body.events');
    expect((await admin.post(PATH, { events: events.slice(0, 1) })).status).to.equal(204);

    const { body } = await admin.post('/api-keys', { name: 'Mail', scopes: ['feedback:write', 'notifications:write'] });
    expectProblem(await send(events, body.key as string), 403, 'SCOPE_MISSING');
  }).timeout(60_000);

  it('says which message it is about, in one way', async () => {
    const { about, messageId } = await sent('email');
    const { notificationId: _id, ...aboutNothing } = about('delivered');
    for (const wrong of [aboutNothing, about('delivered', { messageId }), event('webPush', 'opened', { messageId })]) {
      expectInvalid(await send([wrong]), 'body.events.0');
    }
    expectInvalid(await send([about('lost')]), 'body.events.0.event');
    expectInvalid(await send([about('delivered', { at: 'today' })]), 'body.events.0.at');
    expectInvalid(await send([]), 'body.events');
  });
});
