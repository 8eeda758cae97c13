import { expect } from 'chai';
import { type ReceivedFcm } from '../edge/index.js';
import { Scene } from './scene.js';

const on =
  (token: string) =>
  ({ message }: ReceivedFcm) =>
    message.token === token;

describe('A push that FCM does not take', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  afterEach(() => scene.edge.fcm.clear());
  after(() => scene.close());

  for (const [what, spoil] of [
    ['unregistered', (token: string) => scene.edge.fcm.unregister(token)],
    ['no token at all', (token: string) => scene.edge.fcm.invalid(token)],
  ] as const) {
    it(`for a token that is ${what} forgets the token at once, and still reaches the other phone`, async () => {
      const person = await scene.register();
      const [gone, kept] = await Promise.all([scene.phone(person), scene.phone(person, 'IOS')]);
      spoil(gone);

      await scene.notify([person], { channels: ['mobilePush'], title: 'One' });
      await scene.delivery(person, 'mobilePush', 'sent', 1);
      await scene.notify([person], { channels: ['mobilePush'], title: 'Two' });
      await scene.edge.fcm.waitFor(on(kept), { count: 2 });
      await scene.delivery(person, 'mobilePush', 'sent', 1);

      expect(scene.edge.fcm.rejected.filter(({ item }) => item && on(gone)(item))).to.have.length(1);
    });
  }

  it('for the only token says that the device is gone, and asks for no push the next time', async () => {
    const person = await scene.register();
    scene.edge.fcm.unregister(await scene.phone(person));

    await scene.notify([person], { channels: ['mobilePush'], title: 'One' });
    expect(await scene.delivery(person, 'mobilePush', 'dead')).to.deep.include({ attempts: 1, error: 'DEVICE_GONE' });
    await scene.notify([person], { channels: ['mobilePush'], title: 'Two' });
    const next = await scene.notification(person, ({ title }) => title === 'Two');
    expect(next.channels).to.have.all.keys('inApp');
  });

  it('because it does not know the server’s credentials (401) is sent again a minute later', async () => {
    const person = await scene.register();
    const token = await scene.phone(person);
    scene.edge.fcm.faults.next({ kind: 'status', status: 401 });
    await scene.notify([person], { channels: ['mobilePush'] });

    const failed = await scene.delivery(person, 'mobilePush', 'failed');
    expect(failed).to.deep.include({ attempts: 1, error: 'messaging/third-party-auth-error' });
    await scene.advance(1.25, person);
    await scene.delivery(person, 'mobilePush', 'sent', 2);
    expect(scene.edge.fcm.received.filter(on(token))).to.have.length(1);
  });

  it('because it is overloaded (503) is tried again within the call, then a minute later', async () => {
    const person = await scene.register();
    const token = await scene.phone(person);
    const recover = scene.edge.fcm.faults.when(on(token), { kind: 'status', status: 503, retryAfter: 120 });
    await scene.notify([person], { channels: ['mobilePush'] });

    const failed = await scene.delivery(person, 'mobilePush', 'failed');
    expect(failed).to.deep.include({ attempts: 1, error: 'messaging/server-unavailable' });
    recover();
    scene.edge.fcm.faults.next({ kind: 'status', status: 503 });
    await scene.advance(1.25, person);
    await scene.delivery(person, 'mobilePush', 'sent', 2);
    expect(scene.edge.fcm.received.filter(on(token))).to.have.length(1);
  });

  it('for another sender’s token (403) is not tried again', async () => {
    const person = await scene.register();
    await scene.phone(person);
    scene.edge.fcm.faults.next({ kind: 'status', status: 403 });
    await scene.notify([person], { channels: ['mobilePush'] });

    const dead = await scene.delivery(person, 'mobilePush', 'dead');
    expect(dead).to.deep.include({ attempts: 1, error: 'messaging/mismatched-credential' });
  });

  it('for one of three phones is tried again on that phone only', async () => {
    const person = await scene.register();
    const [one, broken, other] = await Promise.all([scene.phone(person), scene.phone(person), scene.phone(person)]);
    const repair = scene.edge.fcm.faults.when(on(broken), { kind: 'status', status: 500 });
    await scene.notify([person], { channels: ['mobilePush'] });
    await scene.delivery(person, 'mobilePush', 'failed', 1);
    await scene.advance(1.25, person);
    await scene.delivery(person, 'mobilePush', 'failed', 2);

    repair();
    await scene.advance(6.1, person);
    await scene.delivery(person, 'mobilePush', 'sent', 3);

    const tokens = scene.edge.fcm.received.map(({ message }) => message.token);
    expect(tokens).to.have.members([one, other, broken]);
  });
});

describe('A project that FCM does not know', () => {
  it('costs no phone its registration', async () => {
    const scene = await Scene.open();
    try {
      const create = scene.edge.fcm.withoutProject('atrium-local');
      const person = await scene.register();
      const token = await scene.phone(person);
      await scene.notify([person], { channels: ['mobilePush'] });

      const failed = await scene.delivery(person, 'mobilePush', 'failed');
      expect(failed).to.deep.include({ attempts: 1, error: 'PROJECT_NOT_FOUND' });

      create();
      await scene.advance(1.25, person);
      await scene.edge.fcm.waitFor(on(token));
      await scene.delivery(person, 'mobilePush', 'sent', 2);
    } finally {
      await scene.close();
    }
  });
});
