import { expect } from 'chai';
import { type PushSubscription, type ReceivedPush } from '../edge/index.js';
import { type Json } from '../support/api.js';
import { minutesUntil, Scene } from './scene.js';

const at =
  ({ endpoint }: PushSubscription) =>
  (push: ReceivedPush) =>
    push.endpoint === endpoint;

describe('A notification in browsers', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  afterEach(() => scene.edge.webPush.clear());
  after(() => scene.close());

  it('reaches every browser of the user, encrypted for each and signed with the key they subscribed with', async () => {
    const [author, reader] = await Promise.all([scene.register({ locale: 'ar' }), scene.register({ name: 'Bob' })]);
    const browsers = await Promise.all([scene.browser(author), scene.browser(author), scene.browser(author)]);
    const postId = await author.publish('مرحبا');

    await reader.post(`/posts/${postId}/react`, { type: 'LOVE' });

    const pushes = await scene.edge.webPush.waitFor(undefined, { count: 3 });
    const { id, title, body } = await scene.notification(author);
    expect(title).to.contain('Bob').and.to.contain('تفاعل');
    for (const { payload, ttl, urgency, topic, vapid } of pushes) {
      const shown = { id, tag: id, type: 'REACTION', title, body, deepLink: `/posts/${postId}`, dir: 'rtl' };
      expect(payload).to.deep.equal(shown);
      expect({ ttl, urgency, topic }).to.deep.equal({ ttl: 86_400, urgency: 'normal', topic: id });
      expect(vapid.sub).to.equal('mailto:push@atrium.localhost');
    }
    expect(pushes.map(({ endpoint }) => endpoint)).to.have.members(browsers.map(({ endpoint }) => endpoint));
    expect(await scene.delivery(author, 'webPush', 'sent')).to.include({ attempts: 1 });
  });

  it('is cut to what a push may hold, between characters, where its text is long, with its title on one line', async () => {
    const person = await scene.register({ locale: 'ar' });
    await scene.browser(person);
    const body = `"${'مرحبا بكم 🎓\n'.repeat(4)}${'𞺀🎓'.repeat(470)}`;
    await scene.notify([person], { channels: ['webPush'], title: 'إعلان\n'.repeat(20).trim(), body });

    const [push] = await scene.edge.webPush.waitFor();
    const payload = push!.payload as Json;
    expect(payload.body).to.match(/^"مرحبا بكم 🎓\n.*…$/su);
    expect([...payload.body].length).to.be.greaterThan(800);
    expect(body.startsWith(payload.body.slice(0, -1))).to.equal(true);
    expect(payload.body.isWellFormed()).to.equal(true);
    expect(payload.title).to.equal('إعلان '.repeat(20).trim());
    expect(scene.edge.webPush.rejected).to.deep.equal([]);
    expect((await scene.notification(person)).body).to.equal(body);
  });

  for (const [status, remove] of [
    [410, (each: PushSubscription) => scene.edge.webPush.expire(each.endpoint)],
    [404, (each: PushSubscription) => void scene.edge.webPush.faults.when(at(each), { kind: 'status', status: 404 })],
  ] as const) {
    it(`forgets a browser whose push service answers ${status}, and still reaches the others`, async () => {
      const person = await scene.register();
      const [gone, kept] = await Promise.all([scene.browser(person), scene.browser(person)]);
      remove(gone);

      await scene.notify([person], { channels: ['webPush'], title: 'One' });
      expect(await scene.delivery(person, 'webPush', 'sent')).to.include({ attempts: 1 });
      await scene.notify([person], { channels: ['webPush'], title: 'Two' });
      await scene.edge.webPush.waitFor(at(kept), { count: 2 });
      await scene.delivery(person, 'webPush', 'sent');

      expect(scene.edge.webPush.rejected.map((each) => each.status)).to.deep.equal([status]);
    });
  }

  it('says so where the only browser is gone, and asks for no push the next time', async () => {
    const person = await scene.register();
    scene.edge.webPush.expire((await scene.browser(person)).endpoint);

    await scene.notify([person], { channels: ['webPush'], title: 'One' });
    expect(await scene.delivery(person, 'webPush', 'dead')).to.deep.include({ attempts: 1, error: 'DEVICE_GONE' });
    await scene.notify([person], { channels: ['webPush'], title: 'Two' });
    const next = await scene.notification(person, ({ title }) => title === 'Two');
    expect(next.channels).to.have.all.keys('inApp');
  });

  it('waits as long as the push service asks where that is a date', async () => {
    const person = await scene.register();
    const browser = await scene.browser(person);
    const retryAfter = new Date(Date.now() + 600_000).toUTCString();
    scene.edge.webPush.faults.when(at(browser), { kind: 'status', status: 429, retryAfter });
    const before = scene.campus.clock.now();
    await scene.notify([person], { channels: ['webPush'] });

    const failed = await scene.delivery(person, 'webPush', 'failed');
    expect(failed).to.deep.include({ attempts: 1, error: 'HTTP_429' });
    expect(minutesUntil(failed, before)).to.be.within(9.9, 10.3);
  });

  it('waits for the slowest of a user’s push services', async () => {
    const person = await scene.register();
    const [busy, broken] = [await scene.browser(person), await scene.browser(person)];
    scene.edge.webPush.faults.when(at(broken), { kind: 'status', status: 500 });
    scene.edge.webPush.faults.when(at(busy), { kind: 'status', status: 429, retryAfter: 1_200 });
    const before = scene.campus.clock.now();
    await scene.notify([person], { channels: ['webPush'] });

    expect(minutesUntil(await scene.delivery(person, 'webPush', 'failed'), before)).to.be.within(19.9, 20.3);
  });

  for (const status of [400, 413]) {
    it(`is not tried again after ${status}, and the browser is kept`, async () => {
      const person = await scene.register();
      const browser = await scene.browser(person);
      // Not the next one of all: what others are still to be sent is tried again meanwhile.
      const repair = scene.edge.webPush.faults.when(at(browser), { kind: 'status', status });
      await scene.notify([person], { channels: ['webPush'], title: 'One' });

      const dead = await scene.delivery(person, 'webPush', 'dead');
      expect(dead).to.deep.equal({ status: 'dead', attempts: 1, error: `HTTP_${status}` });
      repair();
      await scene.advance(40, person);
      await scene.notify([person], { channels: ['webPush'], title: 'Two' });
      const pushes = await scene.edge.webPush.waitFor(at(browser));
      expect(pushes.map(({ payload }) => (payload as Json).title)).to.deep.equal(['Two']);
    });
  }

  it('is tried again on the browser that failed and not on the one that has it', async () => {
    const person = await scene.register();
    const [fine, broken] = await Promise.all([scene.browser(person), scene.browser(person)]);
    const repair = scene.edge.webPush.faults.when(at(broken), { kind: 'status', status: 503 });
    await scene.notify([person], { channels: ['webPush'] });
    await scene.delivery(person, 'webPush', 'failed');

    repair();
    await scene.advance(1.25, person);
    await scene.delivery(person, 'webPush', 'sent', 2);

    expect(scene.edge.webPush.received.filter(at(broken))).to.have.length(1);
    expect(scene.edge.webPush.received.filter(at(fine))).to.have.length(1);
  });
});
