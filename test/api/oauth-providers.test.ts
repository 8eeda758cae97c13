import { expect } from 'chai';
import { type HouseName } from '../edge/openid.js';
import { HOUSES, OAuthScene, startOf, toTheWayBack } from './oauth-scene.js';
import { CONFIRM, mailTo } from './auth-mail.js';

describe('Signing in with a provider', () => {
  let scene: OAuthScene;
  before(async () => {
    scene = await OAuthScene.open();
  });
  after(() => scene.close());

  it('is offered for those that are configured', async () => {
    const { status, body } = await scene.api.request('GET', '/auth/oauth');
    expect(status).to.equal(200);
    expect(body.data).to.have.deep.members(HOUSES.map((provider) => ({ provider })));
  });

  for (const house of HOUSES) {
    it(`makes an account of what ${house} says, and signs in to the same one from then on`, async () => {
      const person = scene.someone(house, { name: 'ليلى Haddad' });
      const first = await scene.signIn(person, scene.browser(), { returnTo: '/welcome?from=start', role: 'alumni' });
      expect(first.page.url.href).to.equal('https://campus.test/welcome?from=start#oauth=signed-in');
      const user = await first.person();
      const { body: me } = await user.get('/users/me');
      const emailVerified = house !== 'facebook';
      expect(me).to.include({ name: 'ليلى Haddad', email: person.email, role: 'alumni', emailVerified });

      const again = await scene.enter(person, { role: 'recruiter' });
      expect(again.id).to.equal(user.id);
      expect((await again.get('/users/me')).body.role).to.equal('alumni');
      const { body: sessions } = await again.get('/auth/sessions');
      expect(sessions.data).to.have.length(2);
      expect(sessions.data[0]).to.include({ current: true, device: 'node' });
      const { body: identities } = await again.get('/auth/identities');
      expect(identities.data).to.have.length(1);
      expect(identities.data[0]).to.include({ provider: house, email: person.email });
    });
  }

  it('asks each provider as it wants to be asked, and never for what the request says', async () => {
    const asked = async (house: HouseName) => {
      const browser = scene.browser();
      const page = await browser.request(new URL(startOf(house), 'https://campus.test'));
      expect(page.status).to.equal(302);
      expect(page.headers.get('cache-control')).to.equal('no-store');
      const url = new URL(page.headers.get('location')!);
      return { url, ...Object.fromEntries(url.searchParams), cookie: page.headers.get('set-cookie')! };
    };
    for (const house of HOUSES) {
      const { url, cookie, ...parameters } = await asked(house);
      expect(url.href).to.match(new RegExp(`^${scene.openid.url}/${house}/`));
      expect(parameters).to.include({
        response_type: 'code',
        client_id: `${house}-client`,
        redirect_uri: `https://campus.test/api/v1/auth/oauth/${house}/callback`,
        code_challenge_method: 'S256',
      });
      expect(parameters).to.have.property('state').with.length(43);
      expect(parameters).to.have.property('code_challenge').with.length(43);
      expect('nonce' in parameters).to.equal(house === 'google' || house === 'apple');
      const sameSite = house === 'apple' ? 'None' : 'Lax';
      expect(cookie).to.match(/^atrium_oauth=[\w.-]+; Max-Age=600; Path=\/api\/v1\/auth\/oauth; HttpOnly; /);
      expect(cookie).to.match(new RegExp(`; SameSite=${sameSite}; Secure$`));
    }
    const { redirect_uri: redirectUri } = Object.fromEntries(
      new URL(
        (
          await fetch(`${scene.api.url}${startOf('google')}`, {
            redirect: 'manual',
            headers: { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https', forwarded: 'host=evil.test' },
          })
        ).headers.get('location')!,
      ).searchParams,
    );
    expect(redirectUri).to.equal('https://campus.test/api/v1/auth/oauth/google/callback');
  });

  it('shows Apple a secret that is signed anew for each request', async () => {
    const [one, other] = [scene.someone('apple'), scene.someone('apple')];
    const before = scene.openid.appleSecrets.length;
    await scene.enter(one);
    await scene.enter(other);
    const shown = scene.openid.appleSecrets.slice(before);
    expect(shown).to.have.length(2);
    for (const { header, payload } of shown) {
      expect(header).to.include({ alg: 'ES256', kid: 'KEY1234567' });
      expect(payload).to.include({ iss: 'TEAM123456', sub: 'apple-client' });
      const { iat, exp } = payload as { iat: number; exp: number };
      expect(exp - iat).to.equal(300);
    }
  });

  it('keeps the name that Apple says once, and needs none', async () => {
    const named = scene.someone('apple', { name: 'Amal Nasser' });
    const user = await scene.enter(named);
    expect(user.name).to.equal('Amal Nasser');
    scene.openid.add('apple', { ...named.account, user: { name: { firstName: 'Someone', lastName: 'Else' } } });
    expect((await scene.enter(named)).name).to.equal('Amal Nasser');

    const shy = scene.someone('apple');
    const { user: _unsaid, ...rest } = shy.account;
    scene.openid.add('apple', rest);
    expect((await scene.enter(shy)).name).to.equal('New user');
    const odd = scene.someone('apple');
    // It is no more than a field of a form: nothing in it but the name is believed.
    scene.openid.add('apple', { ...odd.account, user: { name: 7, email: 'admin@campus.test', sub: '1' } });
    const oddOne = await scene.enter(odd);
    expect(oddOne.name).to.equal('New user');
    expect(oddOne.email).to.equal(odd.email);
  });

  it('takes Apple’s "true" for true, and no other word', async () => {
    for (const [said, verified] of [
      ['true', true],
      ['false', false],
      ['yes', false],
    ] as const) {
      const person = scene.someone('apple');
      scene.openid.add('apple', { ...person.account, claims: { email: person.email, email_verified: said } });
      expect((await (await scene.enter(person)).get('/users/me')).body.emailVerified).to.equal(verified);
    }
  });

  it('makes names fit to be shown: on one line, without tricks, and not too long', async () => {
    const names: [string, string][] = [
      ['  Amal\n\t Nasser\u0000 ', 'Amal Nasser'],
      ['م'.repeat(200), 'م'.repeat(80)],
      ['\u0007', 'New user'],
    ];
    for (const [given, shown] of names) {
      const person = scene.someone('google');
      scene.openid.add('google', { ...person.account, claims: { ...person.account.claims, name: given } });
      expect((await scene.enter(person)).name).to.equal(shown);
    }
    const nameless = scene.someone('github');
    const login = { id: Number(nameless.subject), login: 'octo', name: null };
    scene.openid.add('github', { ...nameless.account, api: { ...nameless.account.api, '/user': login } });
    expect((await scene.enter(nameless)).name).to.equal('octo');
  });

  it('goes by the language that Google says', async () => {
    const person = scene.someone('google');
    scene.openid.add('google', { ...person.account, claims: { ...person.account.claims, locale: 'ar-JO' } });
    expect((await (await scene.enter(person)).get('/users/me')).body.locale).to.equal('ar');
  });

  it('has the address confirmed by a mail where the provider does not vouch for it', async () => {
    const person = scene.someone('facebook');
    await scene.enter(person);
    expect((await mailTo(scene.campus, person.email, CONFIRM)).text).to.include('/verify-email?token=');
    const doubtful = scene.someone('github', { verified: false });
    const user = await scene.enter(doubtful);
    expect((await user.get('/users/me')).body).to.include({ email: doubtful.email, emailVerified: false });
  });

  it('makes no node remember what another must know: it may begin on one and end on the other', async () => {
    const person = scene.someone('google');
    const browser = scene.browser();
    const { url } = await toTheWayBack(browser, person);
    const answer = await fetch(`${scene.otherNode.url}${url.pathname}${url.search}`, {
      redirect: 'manual',
      headers: { cookie: `atrium_oauth=${browser.cookie('atrium_oauth') ?? ''}` },
    });
    expect(answer.status).to.equal(302);
    expect(answer.headers.get('location')).to.equal('https://campus.test/#oauth=signed-in');
    const cookies = answer.headers.getSetCookie();
    expect(cookies).to.have.length(2);
    expect(cookies[0]).to.match(
      /^atrium_refresh=[^;]+; Max-Age=2592000; Path=\/api\/v1\/auth; HttpOnly; SameSite=Strict/,
    );
    expect(cookies[1]).to.match(/^atrium_oauth=; Max-Age=0; Path=\/api\/v1\/auth\/oauth; /);
  });
});
