import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { until } from '../support/until.js';
import { expectInvalid, expectProblem } from './helpers.js';

describe('Devices', () => {
  let campus: Campus;
  let api: Api;
  let admin: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
    admin = await api.admin();
  });
  after(() => campus.close());

  const newToken = (): string => `fcm:${randomBytes(16).toString('hex')}`;
  const register = (person: Person, token: string, more: object = {}) =>
    person.post('/push/register', { token, platform: 'ANDROID', ...more });
  const keys = { p256dh: 'B'.repeat(87), auth: 'a'.repeat(22) };
  const subscribe = (person: Person, endpoint: string) => person.post('/push/web', { endpoint, keys });

  /** Pushes to this person and waits until it has been decided where to; answers with the channels of the result. */
  const push = async (person: Person, title: string): Promise<Json> => {
    const { body } = await admin.post('/notifications', {
      userIds: [person.id],
      type: 'SYSTEM',
      title,
      body: '.',
      channels: ['inApp', 'webPush', 'mobilePush'],
    });
    const done = await until(
      async () => (await admin.get(`/notifications/batches/${body.batchId}`)).body,
      ({ status, channels }) => status === 'done' && !/pending|sending/.test(JSON.stringify(channels)),
    );
    return done.channels;
  };
  /** The phones that were shown a push of this title. */
  const phonesShown = (title: string): (string | undefined)[] =>
    campus.edge.fcm.received
      .filter(({ message }) => message.notification?.title === title)
      .map(({ message }) => message.token);
  const browsersShown = (title: string): string[] =>
    campus.edge.webPush.received
      .filter(({ payload }) => JSON.stringify(payload).includes(title))
      .map(({ endpoint }) => endpoint);

  it('of both kinds are pushed to once registered, and no more once forgotten', async () => {
    const person = await api.register();
    const token = newToken();
    const { body } = await person.get('/push/vapid-key');
    const subscription = campus.edge.webPush.subscribe(body.publicKey);
    expect((await register(person, token, { app: 'Campus 2', locale: 'ar' })).status).to.equal(204);
    expect((await person.post('/push/web', { ...subscription, expirationTime: null })).status).to.equal(204);
    expect(await push(person, 'Both')).to.deep.include({ webPush: { sent: 1 }, mobilePush: { sent: 1 } });
    expect(phonesShown('Both')).to.deep.equal([token]);
    expect(browsersShown('Both')).to.deep.equal([subscription.endpoint]);

    expect((await person.delete('/push/unregister', { token })).status).to.equal(204);
    expect(await push(person, 'Browser only')).to.have.all.keys('inApp', 'webPush');
    expect((await person.delete('/push/web', { endpoint: subscription.endpoint })).status).to.equal(204);
    expect(await push(person, 'Neither')).to.have.all.keys('inApp');
    // Forgetting what is not there is no error: the app may not know.
    expect((await person.delete('/push/unregister', { token })).status).to.equal(204);
  });

  it('registered twice are one device', async () => {
    const person = await api.register();
    const token = newToken();
    await Promise.all(Array.from({ length: 5 }, () => register(person, token)));
    await push(person, 'Once');
    expect(phonesShown('Once')).to.deep.equal([token]);
  });

  it('belong to whoever registered them last, and only that person can have them forgotten', async () => {
    const [first, second] = [await api.register(), await api.register()];
    const token = newToken();
    const { body } = await first.get('/push/vapid-key');
    const subscription = campus.edge.webPush.subscribe(body.publicKey);
    for (const person of [first, second]) {
      await register(person, token);
      await person.post('/push/web', subscription);
    }
    expect(await push(first, 'Not mine any more')).to.have.all.keys('inApp');
    await first.delete('/push/unregister', { token });
    await first.delete('/push/web', { endpoint: subscription.endpoint });
    expect(await push(second, 'Mine')).to.deep.include({ webPush: { sent: 1 }, mobilePush: { sent: 1 } });
    expect(phonesShown('Mine')).to.deep.equal([token]);
  });

  it('are twenty at most: the one unused for longest goes', async () => {
    const person = await api.register();
    const tokens = Array.from({ length: 22 }, newToken);
    for (const token of tokens.slice(0, 20)) await register(person, token);
    // Seen again, so that the two after it are the oldest now.
    await register(person, tokens[0]!);
    for (const token of tokens.slice(20)) await register(person, token);
    await push(person, 'Twenty');
    expect(phonesShown('Twenty')).to.have.members([tokens[0], ...tokens.slice(3)]);
  });

  it('may name known push services only', async () => {
    const person = await api.register();
    for (const endpoint of [
      'https://fcm.googleapis.com/fcm/send/abc',
      'https://updates.push.services.mozilla.com/wpush/v2/abc',
      'https://web.push.apple.com/abc',
      'https://wns2-par02p.notify.windows.com/w/?token=abc',
    ]) {
      expect((await subscribe(person, endpoint)).status, endpoint).to.equal(204);
    }
    for (const endpoint of [
      'https://push.example.org/abc',
      'http://fcm.googleapis.com/fcm/send/abc',
      'https://user@fcm.googleapis.com/fcm/send/abc',
      'https://user:password@fcm.googleapis.com/fcm/send/abc',
      'https://fcm.googleapis.com:8443/fcm/send/abc',
      'https://fcm.googleapis.com.example.org/abc',
      'https://fcm.googleapis.com@example.org/abc',
      'https://example.org/fcm.googleapis.com',
      'https://sub.fcm.googleapis.com/abc',
      'https://push.apple.com/abc',
      'https://evilpush.apple.com/abc',
      'https://169.254.169.254/latest/meta-data',
      'https://10.0.0.1/abc',
      'https://[fd00::1]/abc',
      'http://127.0.0.1/abc',
      'file:///etc/passwd',
      'no address at all',
    ]) {
      expectProblem(await subscribe(person, endpoint), 400, 'UNKNOWN_PUSH_SERVICE');
    }
  });

  it('may not be at the server’s own loopback address in production', async () => {
    const production = await campus.startNode({
      env: {
        NODE_ENV: 'production',
        MONGODB_URI: campus.uri,
        JWT_KEYS: `production:${'k'.repeat(43)}`,
        PASSWORD_MEMORY_KIB: '19456',
        FCM_ENDPOINT: '',
        ROLE: 'api',
      },
    });
    const person = await production.register();
    for (const host of ['127.0.0.1', 'localhost', '127.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0']) {
      expectProblem(await subscribe(person, `https://${host}/abc`), 400, 'UNKNOWN_PUSH_SERVICE');
    }
    expect((await subscribe(person, 'https://fcm.googleapis.com/fcm/send/production')).status).to.equal(204);
  });

  it('are forgotten under the very address they were registered with', async () => {
    const person = await api.register();
    const { body } = await person.get('/push/vapid-key');
    const subscription = campus.edge.webPush.subscribe(body.publicKey);
    // The same address, spelled as a browser would not, but as a client may.
    const endpoint = subscription.endpoint.replace('https://', 'HTTPS://').replace('/push/', '/x/../push/');
    expect((await person.post('/push/web', { ...subscription, endpoint })).status).to.equal(204);
    expect(await push(person, 'Spelled')).to.deep.include({ webPush: { sent: 1 } });
    await person.delete('/push/web', { endpoint });
    expect(await push(person, 'Forgotten')).to.have.all.keys('inApp');
    // What never was a push service was never registered either.
    expect((await person.delete('/push/web', { endpoint: 'no address' })).status).to.equal(204);
  });

  it('are described completely', async () => {
    const person = await api.register();
    expectInvalid(await register(person, 'with space'), 'body.token');
    expectInvalid(await register(person, 'x'.repeat(4_097)), 'body.token');
    expectInvalid(
      await register(person, newToken(), { platform: 'WINDOWS', locale: 'fr' }),
      'body.platform',
      'body.locale',
    );
    const endpoint = 'https://fcm.googleapis.com/fcm/send/abc';
    expectInvalid(await person.post('/push/web', { endpoint, keys: { ...keys, auth: 'short' } }), 'body.keys.auth');
    expectInvalid(await person.post('/push/web', { endpoint, keys: { auth: keys.auth } }), 'body.keys.p256dh');
    expectInvalid(await person.post('/push/web', { keys }), 'body.endpoint');
  });
});
