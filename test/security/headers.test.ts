import { expect } from 'chai';
import { type Api, Campus, WITHOUT_MAIL } from '../support/campus.js';

const OWN = 'https://app.campus.test';
const FOREIGN = 'https://evil.test';

describe('Headers that protect', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode({ env: { CORS_ORIGINS: `${OWN}, https://admin.campus.test` } });
  });
  after(() => campus.close());

  const preflight = (origin: string) =>
    fetch(`${api.url}/api/v1/posts`, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization,content-type,idempotency-key',
      },
    });

  it('let scripts of the listed origins call the API and read what they need of its answers', async () => {
    const person = await api.register();
    const { headers } = await person.get('/users/me', { headers: { Origin: OWN } });
    expect(headers.get('access-control-allow-origin')).to.equal(OWN);
    expect(headers.get('access-control-allow-credentials')).to.equal('true');
    expect(headers.get('vary')).to.match(/\bOrigin\b/);
    const exposed = headers.get('access-control-expose-headers')!.split(',');
    expect(exposed).to.include.members([
      'Deprecation',
      'ETag',
      'Idempotency-Replayed',
      'RateLimit',
      'RateLimit-Policy',
      'Retry-After',
      'Sunset',
      'X-Request-Id',
    ]);

    const asked = await preflight(OWN);
    expect(asked.status).to.equal(204);
    expect(asked.headers.get('access-control-allow-origin')).to.equal(OWN);
    expect(asked.headers.get('access-control-allow-methods')).to.include('POST');
    expect(asked.headers.get('access-control-allow-headers')).to.include('idempotency-key');
  });

  it('tell other origins nothing, problems included', async () => {
    for (const origin of [FOREIGN, 'null', `${OWN}.evil.test`, 'http://app.campus.test', OWN.toUpperCase()]) {
      const asked = await preflight(origin);
      expect(asked.headers.get('access-control-allow-origin'), origin).to.equal(null);
      const answer = await api.request('GET', '/users/me', undefined, { headers: { Origin: origin } });
      expect(answer.headers.get('access-control-allow-origin'), origin).to.equal(null);
    }
  });

  it('are on every kind of answer', async () => {
    const person = await api.register();
    const answers = [
      await person.get('/users/me'),
      await api.request('GET', '/users/me'),
      await api.request('GET', '/no-such-route'),
      await api.request('POST', '/auth/login', '{'),
    ];
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 401, 404, 400]);
    for (const { headers } of answers) {
      expect(headers.get('x-content-type-options')).to.equal('nosniff');
      expect(headers.get('x-frame-options')).to.equal('SAMEORIGIN');
      expect(headers.get('content-security-policy')).to.include("default-src 'self'");
      expect(headers.get('strict-transport-security')).to.match(/^max-age=\d{8}/);
      expect(headers.get('referrer-policy')).to.equal('no-referrer');
      expect(headers.get('cross-origin-opener-policy')).to.equal('same-origin');
      expect(headers.get('x-request-id')).to.be.a('string').and.not.empty;
      expect(headers.has('x-powered-by')).to.equal(false);
    }
  });

  it('keep what is personal out of shared caches, and problems out of all', async () => {
    const person = await api.register();
    const mine = await person.get('/users/me');
    expect(mine.headers.get('cache-control')).to.equal('private, no-cache');
    expect(mine.headers.get('vary')).to.match(/\bAuthorization\b/);
    const refused = await api.request('GET', '/users/me');
    expect(refused.headers.get('cache-control')).to.equal('no-store');
    expect(refused.headers.get('www-authenticate')).to.equal('Bearer');
  });
});
