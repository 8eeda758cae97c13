import { expect } from 'chai';
import { type OpenIdFault } from '../edge/openid.js';
import { Campus } from '../support/campus.js';
import { expectInvalid, expectProblem } from './helpers.js';
import { Browser } from './oauth-browser.js';
import { goBack, HOUSES, OAuthScene, Outcome, startOf, toTheWayBack } from './oauth-scene.js';

const NOBODY = '';

describe('Signing in with a provider, where it does not work out', () => {
  let scene: OAuthScene;
  before(async () => {
    scene = await OAuthScene.open();
  });
  after(() => scene.close());

  const failed = { problem: 'OAUTH_PROVIDER_FAILED' };
  const nonsense: OpenIdFault = { kind: 'answer', status: 200, type: 'text/html', body: '<h1>Welcome!</h1>' };
  const down: OpenIdFault = { kind: 'answer', status: 503, body: '{}' };
  const json = (body: unknown): OpenIdFault => ({ kind: 'answer', status: 200, body: JSON.stringify(body) });

  for (const house of HOUSES) {
    it(`ends where it should when the person calls it off (${house})`, async () => {
      const end = await scene.signIn({ ...scene.someone(house), subject: NOBODY }, scene.browser(), {
        returnTo: '/in',
      });
      expect(end.page.url.pathname).to.equal('/in');
      expect(end.said).to.deep.equal({ problem: 'OAUTH_DENIED' });
      expect(end.browser.cookie('atrium_oauth')).to.equal(undefined);
      expect(end.browser.cookie('atrium_refresh')).to.equal(undefined);
    });
  }

  it('knows Apple’s own word for calling it off, and takes every other error for a failure', async () => {
    for (const [word, problem] of [
      ['user_cancelled_authorize', 'OAUTH_DENIED'],
      ['server_error', 'OAUTH_PROVIDER_FAILED'],
    ] as const) {
      const browser = scene.browser();
      const back = await toTheWayBack(browser, scene.someone('apple'));
      const form = new URLSearchParams({ state: back.form!.get('state')!, error: word });
      expect(new Outcome(scene.api, browser, await goBack(browser, { ...back, form })).said).to.deep.equal({ problem });
    }
  });

  it('says so when the provider is down or answers nonsense, and works again as soon as it does', async () => {
    const cases = [
      ['google', '/token'],
      ['apple', '/token'],
      ['github', '/access_token'],
      ['github', '/user'],
      ['github', '/user/emails'],
      ['facebook', '/access_token'],
      ['facebook', '/me'],
    ] as const;
    for (const [house, path] of cases) {
      for (const fault of [down, nonsense, json([7]), json({ access_token: 7 })]) {
        const browser = scene.browser();
        const person = scene.someone(house);
        const back = await toTheWayBack(browser, person);
        const mend = scene.openid.misbehave(house, path, fault);
        const { said } = new Outcome(scene.api, browser, await goBack(browser, back));
        mend();
        expect(said, `${house}${path} ${JSON.stringify(fault)}`).to.deep.equal(failed);
        expect(browser.cookie('atrium_refresh')).to.equal(undefined);
        expect(await scene.campus.db.collection('users').countDocuments({ email: person.email })).to.equal(0);
      }
      await scene.enter(scene.someone(house));
    }
  });

  it('believes no statement whose signature it cannot check', async () => {
    // A node that does not know the provider's keys yet.
    const fresh = await scene.campus.startNode({ env: scene.openid.environment() });
    const { keys } = (await (await fetch(`${scene.openid.url}/google/jwks`)).json()) as { keys: object[] };
    const { n: modulus, ...rest } = keys[0] as { n: string };
    const foreign = { ...rest, n: modulus.startsWith('A') ? `B${modulus.slice(1)}` : `A${modulus.slice(1)}` };
    for (const fault of [down, json({ keys: [] }), json({ keys: [foreign] })]) {
      const api = await scene.campus.startNode({ env: scene.openid.environment() });
      const browser = new Browser(api);
      const back = await toTheWayBack(browser, scene.someone('google'));
      const mend = scene.openid.misbehave('google', '/jwks', fault);
      const { said } = new Outcome(api, browser, await goBack(browser, back));
      mend();
      expect(said, JSON.stringify(fault)).to.deep.equal(failed);
    }
    const browser = new Browser(fresh);
    const back = await toTheWayBack(browser, scene.someone('google'));
    expect(new Outcome(fresh, browser, await goBack(browser, back)).said).to.deep.equal({ oauth: 'signed-in' });
  });

  it('waits five seconds for a provider that says nothing, and no longer', async () => {
    const browser = scene.browser();
    const back = await toTheWayBack(browser, scene.someone('google'));
    const mend = scene.openid.misbehave('google', '/token', { kind: 'silent' });
    const begun = Date.now();
    const { said } = new Outcome(scene.api, browser, await goBack(browser, back));
    mend();
    expect(said).to.deep.equal(failed);
    expect(Date.now() - begun).to.be.within(4_500, 8_000);
  });

  it('goes straight back where the provider cannot even be asked how to begin', async () => {
    const api = await scene.campus.startNode({ env: scene.openid.environment() });
    const mend = scene.openid.misbehave('google', '/openid-configuration', down);
    const begin = async () =>
      (await fetch(`${api.url}${startOf('google', { returnTo: '/in' })}`, { redirect: 'manual' })).headers.get(
        'location',
      );
    expect(await begin()).to.equal('https://campus.test/in#problem=OAUTH_PROVIDER_FAILED');
    mend();
    expect(await begin()).to.match(new RegExp(`^${scene.openid.url}/google/auth\\?`));
  });

  it('needs an address for a new account, and none for one that is known', async () => {
    const without = {
      google: (subject: string) => ({ subject, claims: {} }),
      apple: (subject: string) => ({ subject, claims: { email: 'no address', email_verified: true } }),
      github: (subject: string) => ({ subject, api: { '/user': { id: +subject, login: 'x' }, '/user/emails': [] } }),
      facebook: (subject: string) => ({ subject, api: { '/v23.0/me': { id: subject, name: 'X' } } }),
    };
    for (const house of HOUSES) {
      const person = scene.someone(house);
      scene.openid.add(house, without[house](person.subject));
      expect((await scene.signIn(person)).said, house).to.deep.equal({ problem: 'OAUTH_EMAIL_MISSING' });
      scene.openid.add(house, person.account);
      const user = await scene.enter(person);
      scene.openid.add(house, without[house](person.subject));
      expect((await scene.enter(person)).id).to.equal(user.id);
    }
  });

  it('understands in what words GitHub and Facebook refuse a code', async () => {
    const refusals = {
      github: json({ error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' }),
      facebook: {
        kind: 'answer',
        status: 400,
        body: JSON.stringify({ error: { message: 'This code has been used.', type: 'OAuthException', code: 100 } }),
      },
    } as const;
    for (const house of ['github', 'facebook'] as const) {
      const browser = scene.browser();
      const back = await toTheWayBack(browser, scene.someone(house));
      const mend = scene.openid.misbehave(house, '/access_token', refusals[house]);
      const { said } = new Outcome(scene.api, browser, await goBack(browser, back));
      mend();
      expect(said).to.deep.equal({ problem: 'OAUTH_REFUSED' });
    }
  });

  it('knows no provider that is not configured, and no other at all', async () => {
    const campus = await Campus.open();
    try {
      const { OAUTH_GOOGLE_CLIENT_ID: id = '', OAUTH_GOOGLE_CLIENT_SECRET: secret = '' } = scene.openid.environment();
      const [none, one] = [
        await campus.startNode(),
        await campus.startNode({ env: { OAUTH_GOOGLE_CLIENT_ID: id, OAUTH_GOOGLE_CLIENT_SECRET: secret } }),
      ];
      expect((await none.request('GET', '/auth/oauth')).body).to.deep.equal({ data: [] });
      expect((await one.request('GET', '/auth/oauth')).body).to.deep.equal({ data: [{ provider: 'google' }] });
      for (const house of HOUSES) {
        expectProblem(await none.request('GET', startOf(house)), 404, 'OAUTH_PROVIDER_UNKNOWN');
        const back = `/auth/oauth/${house}/callback`;
        expectProblem(await none.request('GET', `${back}?state=x&code=y`), 404, 'OAUTH_PROVIDER_UNKNOWN');
        expectProblem(await none.request('POST', back), 404, 'OAUTH_PROVIDER_UNKNOWN');
      }
      expectInvalid(await none.request('GET', startOf('myspace')), 'params.provider');
      expectInvalid(await none.request('GET', '/auth/oauth/constructor/callback'), 'params.provider');
    } finally {
      await campus.close();
    }
  });
});
