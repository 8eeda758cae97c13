import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import webPush from 'web-push';
import { type Person } from '../support/api.js';
import { Campus } from '../support/campus.js';
import { type ProcessNode, spawnNode } from '../support/process-node.js';
import { until } from '../support/until.js';

const SMTP_PASSWORD = 'the-password-of-the-mail-server';
const ADMIN_PASSWORD = 'the admin’s own password';

describe('The log of a node at its most talkative', () => {
  let campus: Campus;
  let node: ProcessNode;
  const vapid = webPush.generateVAPIDKeys();
  before(async () => {
    campus = await Campus.open();
    const smtp = new URL(campus.edge.smtp.url);
    [smtp.username, smtp.password] = ['mailer', SMTP_PASSWORD];
    node = await spawnNode(
      {
        ...campus.environment(),
        MONGODB_URI: campus.uri,
        JWT_KEYS: `k1:${'signing-key-'.repeat(4)}`,
        ADMIN_PASSWORD,
        VAPID_PUBLIC_KEY: vapid.publicKey,
        VAPID_PRIVATE_KEY: vapid.privateKey,
        SMTP_URL: smtp.href,
      },
      'test/security/talkative-node.ts',
    );
  });
  after(async () => {
    await node.kill();
    await campus.close();
  });

  it('names requests and users, and no secret and no address, whatever is done', async () => {
    const { api } = node;
    const password = 'a password nobody else has';
    const author = await api.register({ email: `author-${randomUUID()}@campus.test`, password });
    const reader = await api.register();
    const secrets = new Map<string, string>([['the author’s password', password]]);
    const remember = (person: Person, who: string): void => {
      secrets.set(`${who} access token`, person.token);
      secrets.set(`${who} refresh token`, person.refreshToken);
      secrets.set(`${who} address`, person.email);
    };
    remember(author, 'author');
    remember(reader, 'reader');

    // Signing in, well and badly, and refreshing.
    const again = await api.signIn(author.email, password);
    remember(again, 'second sign-in');
    const wrong = 'a wrong guess at a password';
    await api.request('POST', '/auth/login', { email: author.email, password: wrong });
    secrets.set('a wrong password', wrong);
    const refreshed = await api.request('POST', '/auth/refresh', { refreshToken: again.refreshToken });
    secrets.set('refreshed access token', refreshed.body.accessToken);
    secrets.set('refreshed refresh token', refreshed.body.refreshToken);
    await api.request('GET', `/users/me?token=${again.token}`, undefined, { token: again.token });
    const strangeKey = randomUUID();
    const registration = { name: 'X', email: author.email, password: 'yet another password', role: 'student' };
    await api.request('POST', '/auth/register', registration, { headers: { 'Idempotency-Key': strangeKey } });
    secrets.set('the password of a refused registration', registration.password);
    await api.request('GET', '/users/me', undefined, { token: 'a-token-that-was-made-up' });
    secrets.set('a bad token', 'a-token-that-was-made-up');

    // Devices that work, fail and are gone, so that every way of sending has something to say.
    const phone = `phone-${randomUUID()}`;
    const lostPhone = `lost-${randomUUID()}`;
    campus.edge.fcm.unregister(lostPhone);
    for (const token of [phone, lostPhone]) await author.post('/push/register', { token, platform: 'ANDROID' });
    const browser = campus.edge.webPush.subscribe(vapid.publicKey);
    await author.post('/push/web', browser);
    secrets.set('a phone’s token', phone);
    secrets.set('a lost phone’s token', lostPhone);
    secrets.set('a browser’s key', browser.keys.p256dh);
    secrets.set('a browser’s secret', browser.keys.auth);
    secrets.set('a browser’s endpoint', browser.endpoint);
    // Faults are for what comes next, not for mails of before.
    await until(
      () =>
        campus.db
          .collection('notifications')
          .countDocuments({ 'channels.email.status': { $in: ['pending', 'sending'] } }),
      (waiting) => waiting === 0,
    );
    campus.edge.smtp.faults.next({ kind: 'status', status: 451 });
    campus.edge.webPush.faults.next({ kind: 'status', status: 500, body: browser.keys.auth });

    const live = await author.connect('/notifications');
    await api.request('POST', '/no/such/route', { password });
    const postId = await author.publish();
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    const notification = await live.next('notification:new');
    const delivered = await until(
      async () => (await author.get('/notifications')).body.data[0]?.channels ?? {},
      ({ email, webPush, mobilePush }) =>
        [email, webPush, mobilePush].every((one) => one?.attempts > 0 && one.status !== 'sending'),
    );
    expect(delivered).to.nested.include({
      'email.status': 'failed',
      'webPush.status': 'failed',
      'mobilePush.status': 'sent',
    });
    await live.ask('notification:read', { id: notification.id });
    live.socket.emit('session:renew', { token: refreshed.body.refreshToken });
    await live.next('problem');
    await author.post('/auth/logout');
    await live.closed();
    expect(await node.terminate()).to.equal(0);

    secrets.set('the signing key', 'signing-key-');
    secrets.set('the admin’s password', ADMIN_PASSWORD);
    secrets.set('the VAPID private key', vapid.privateKey);
    secrets.set('the mail server’s password', SMTP_PASSWORD);
    const log = JSON.stringify(node.log);
    for (const [what, secret] of secrets) expect(log.includes(secret), `${what} is in the log`).to.equal(false);
    expect(log).not.to.match(/[\w.+-]+@campus\.test/);
    expect(log).not.to.match(/PRIVATE KEY/);

    const ofRequests = node.log.filter((line) => 'req' in line);
    expect(ofRequests.length).to.be.above(12);
    for (const line of ofRequests) expect(line).to.have.property('requestId').that.is.a('string');
    const reactions = ofRequests.filter(({ req }) => (req as { path: string }).path.endsWith('/react'));
    expect(reactions).to.have.length(1);
    expect(reactions[0]).to.include({ userId: reader.id });
  });
});
