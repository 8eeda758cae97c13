import { expect } from 'chai';
import { expectInvalid } from '../../api/helpers.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../../support/campus.js';

/** Where nobody outside may make a server send a request to. */
const INSIDE = [
  'https://169.254.169.254/latest/meta-data/',
  'https://[::ffff:169.254.169.254]/',
  'https://metadata.google.internal/',
  'https://10.0.0.5/',
  'https://192.168.1.1/',
  'https://0x7f000001/',
  'https://127.0.0.1/',
  'https://localhost/',
  'https://[::1]/',
  'https://fcm.googleapis.com.evil.test/',
  'https://fcm.googleapis.com@10.0.0.5/',
  'http://fcm.googleapis.com/fcm/send/x',
  'gopher://fcm.googleapis.com/',
  'file:///etc/passwd',
];

describe('OWASP API7: server side request forgery', () => {
  let campus: Campus;
  let api: Api;
  let person: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    // Elsewhere this machine's own push service may be named.
    api = await campus.startNode({
      env: {
        NODE_ENV: 'production',
        MONGODB_URI: campus.uri,
        JWT_KEYS: `production:${'k'.repeat(43)}`,
        PASSWORD_MEMORY_KIB: '19456',
        FCM_ENDPOINT: '',
      },
    });
    person = await api.register();
  });
  after(() => campus.close());

  it('API7: no browser subscription leads anywhere but to the push services that are known', async () => {
    const { keys } = campus.edge.webPush.subscribe((await person.get('/push/vapid-key')).body.publicKey as string);
    for (const endpoint of INSIDE) {
      const { status, body } = await person.post('/push/web', { endpoint, keys });
      expect(status, endpoint).to.equal(400);
      expect(body.code, endpoint).to.be.oneOf(['UNKNOWN_PUSH_SERVICE', 'VALIDATION_FAILED']);
    }
    expect(await campus.db.collection('devices').countDocuments()).to.equal(0);
  });

  it('API7: links in a profile are shown and never fetched, and only those of the web are taken', async () => {
    for (const url of ['javascript:alert(1)', 'file:///etc/passwd', 'ftp://10.0.0.5/']) {
      const answer = await person.patch('/profiles/me', { links: [{ label: 'x', url }] });
      expect(answer.status, url).to.equal(400);
    }
    expectInvalid(await person.patch('/profiles/me', { avatar: 'https://169.254.169.254/' }), 'body.avatar');
  });
});
