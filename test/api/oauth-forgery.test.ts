import { expect } from 'chai';
import { MINUTE, SECOND } from '../../src/core/clock.js';
import { expectInvalid, expectProblem } from './helpers.js';
import { type Browser } from './oauth-browser.js';
import { answerOf, goBack, HOUSES, OAuthScene, Outcome, startOf, toTheWayBack, type WayBack } from './oauth-scene.js';

describe('What a browser brings back from a provider', () => {
  let scene: OAuthScene;
  before(async () => {
    scene = await OAuthScene.open();
  });
  after(() => scene.close());

  const accounts = () => scene.campus.db.collection('users').countDocuments();
  const refuse = async (browser: Browser, back: WayBack): Promise<void> => {
    const known = await accounts();
    expectProblem(answerOf(await goBack(browser, back)), 400, 'OAUTH_STATE_INVALID');
    expect(browser.cookie('atrium_refresh')).to.equal(undefined);
    expect(await accounts()).to.equal(known);
  };
  const withParameter = ({ page, url }: WayBack, name: string, value: string): WayBack => {
    const changed = new URL(url);
    changed.searchParams.set(name, value);
    return { page, url: changed };
  };
  const finish = async (browser: Browser, back: WayBack): Promise<Record<string, string>> =>
    new Outcome(scene.api, browser, await goBack(browser, back)).said;

  it('counts with the state that was given out, and with no other', async () => {
    const browser = scene.browser();
    const back = await toTheWayBack(browser, scene.someone('google'));
    const state = back.url.searchParams.get('state')!;
    const forged = `${state.slice(0, -1)}${state.endsWith('A') ? 'B' : 'A'}`;
    for (const other of [forged, 'x', `${state}x`]) await refuse(browser, withParameter(back, 'state', other));
    const without = { ...back, url: new URL(back.url) };
    without.url.searchParams.delete('state');
    await refuse(browser, without);
    // None of that was this sign-in: it can still be finished.
    expect(await finish(browser, back)).to.deep.equal({ oauth: 'signed-in' });
  });

  it('counts in the browser that began, and in no other', async () => {
    const [mine, other, fresh] = [scene.browser(), scene.browser(), scene.browser()];
    const back = await toTheWayBack(mine, scene.someone('google'));
    await toTheWayBack(other, scene.someone('google'));
    // Whoever is sent the link of someone else's sign-in would be signed in to an account that is not theirs.
    await refuse(other, back);
    await refuse(fresh, back);
    expect(await finish(mine, back)).to.deep.equal({ oauth: 'signed-in' });
  });

  it('counts for the provider that was asked', async () => {
    const browser = scene.browser();
    const back = await toTheWayBack(browser, scene.someone('google'));
    const elsewhere = new URL(back.url.href.replace('/google/', '/github/'));
    await refuse(browser, { page: back.page, url: elsewhere });
  });

  it('counts for ten minutes', async () => {
    const [inTime, late] = [scene.browser(), scene.browser()];
    const soon = await toTheWayBack(inTime, scene.someone('google'));
    scene.campus.clock.advance(10 * MINUTE - 30 * SECOND);
    const inTimeSaid = await finish(inTime, soon);
    expect(inTimeSaid).to.deep.equal({ oauth: 'signed-in' });
    const back = await toTheWayBack(late, scene.someone('google'));
    scene.campus.clock.advance(10 * MINUTE + SECOND);
    await refuse(late, back);
  });

  it('counts once', async () => {
    const browser = scene.browser();
    const back = await toTheWayBack(browser, scene.someone('google'));
    const kept = browser.cookie('atrium_oauth')!;
    expect(await finish(browser, back)).to.deep.equal({ oauth: 'signed-in' });
    expect(browser.cookie('atrium_oauth')).to.equal(undefined);

    const replaying = scene.browser();
    await toTheWayBack(replaying, scene.someone('google'));
    replaying.cookies.find(({ name }) => name === 'atrium_oauth')!.value = kept;
    await refuse(replaying, back);
  });

  it('counts once though it comes many times at once, to two nodes', async () => {
    const browser = scene.browser();
    const { url } = await toTheWayBack(browser, scene.someone('google'));
    const cookie = `atrium_oauth=${browser.cookie('atrium_oauth') ?? ''}`;
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, at) =>
        fetch(`${(at % 2 ? scene.api : scene.otherNode).url}${url.pathname}${url.search}`, {
          redirect: 'manual',
          headers: { cookie },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([302, 400, 400, 400, 400, 400]);
  });

  it('is not believed where the code was used before', async () => {
    const first = scene.browser();
    const used = await toTheWayBack(first, scene.someone('google'));
    await finish(first, used);
    const second = scene.browser();
    const back = await toTheWayBack(second, scene.someone('google'));
    const replayed = withParameter(back, 'code', used.url.searchParams.get('code')!);
    expect(await finish(second, replayed)).to.deep.equal({ problem: 'OAUTH_REFUSED' });
    expect(second.cookie('atrium_refresh')).to.equal(undefined);
  });

  for (const house of HOUSES) {
    it(`is not believed where the code was meant for another browser (${house})`, async () => {
      const [victim, thief] = [scene.browser(), scene.browser()];
      const stolen = await toTheWayBack(victim, scene.someone(house));
      const back = await toTheWayBack(thief, scene.someone(house));
      const code = (stolen.form ?? stolen.url.searchParams).get('code')!;
      back.form?.set('code', code);
      const said = await finish(thief, back.form ? back : withParameter(back, 'code', code));
      // The provider knows the one it was for by what only that browser has (PKCE).
      expect(said).to.deep.equal({ problem: 'OAUTH_REFUSED' });
      expect(thief.cookie('atrium_refresh')).to.equal(undefined);
    });
  }

  for (const house of ['google', 'apple'] as const) {
    it(`is not believed where ${house}’s statement was made for another sign-in`, async () => {
      const browser = scene.browser();
      scene.openid.tampered.set('nonce', 'the-nonce-of-another-sign-in');
      const back = await toTheWayBack(browser, scene.someone(house)).finally(() => scene.openid.tampered.clear());
      expect(await finish(browser, back)).to.deep.equal({ problem: 'OAUTH_REFUSED' });
      expect(browser.cookie('atrium_refresh')).to.equal(undefined);
    });
  }

  it('is not believed where it says that another provider has answered', async () => {
    const browser = scene.browser();
    const back = await toTheWayBack(browser, scene.someone('google'));
    const said = await finish(browser, withParameter(back, 'iss', 'https://accounts.evil.test'));
    expect(said).to.deep.equal({ problem: 'OAUTH_PROVIDER_FAILED' });
  });

  it('may hold what providers add, once each', async () => {
    const browser = scene.browser();
    const back = await toTheWayBack(browser, scene.someone('google'));
    const twice = new URL(back.url);
    twice.searchParams.append('code', 'another');
    expectInvalid(answerOf(await goBack(browser, { ...back, url: twice })), 'query.code');
    const added = withParameter(withParameter(back, 'authuser', '0'), 'prompt', 'consent');
    expect(await finish(browser, added)).to.deep.equal({ oauth: 'signed-in' });
  });

  it('is a form where the provider posts one, and nothing else', async () => {
    const path = '/auth/oauth/apple/callback';
    expectProblem(await scene.api.request('POST', path, { state: 'x' }), 415, 'UNSUPPORTED_MEDIA_TYPE');
    expectProblem(await scene.api.request('POST', path), 400, 'OAUTH_STATE_INVALID');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expectProblem(await scene.api.request('POST', path, 'state=x&code=y', { headers }), 400, 'OAUTH_STATE_INVALID');
    expectInvalid(await scene.api.request('POST', path, 'state=x&state=y', { headers }), 'body.state');
    const large = await scene.api.request('POST', path, `code=${'x'.repeat(1_100_000)}`, { headers });
    expectProblem(large, 413, 'BODY_TOO_LARGE');
  });

  it('leaves nothing in the database by which a sign-in could be finished', async () => {
    const browser = scene.browser();
    await toTheWayBack(browser, scene.someone('google'));
    const rows = JSON.stringify(await scene.campus.db.collection('oauthStates').find().toArray());
    expect(rows).to.include('"provider":"google"');
    for (const secret of browser.cookie('atrium_oauth')!.split('.')) expect(rows).not.to.include(secret);
  });

  describe('and where it ends', () => {
    it('is a page of the web app: its path and query, kept as they are', async () => {
      for (const returnTo of [
        '/',
        '/feed?tab=new&q=%D8%B3',
        '/a//b',
        '/@evil.test',
        '/https://evil.test',
        '/../..//x',
      ]) {
        const person = scene.someone('google');
        const { page } = await scene.signIn(person, scene.browser(), { returnTo });
        expect(page.url.origin, returnTo).to.equal('https://campus.test');
        expect(page.url.hash).to.equal('#oauth=signed-in');
      }
    });

    it('is never another site, however it is written', async () => {
      const attempts = [
        'https://evil.test',
        '//evil.test',
        '///evil.test',
        '/\\evil.test',
        '\\\\evil.test',
        '/\t/evil.test',
        '/\n/evil.test',
        '/\r\n/evil.test',
        '/a\\b',
        '/a b',
        '/a#b',
        '/\u0000',
        'javascript:alert(1)',
        'evil.test',
        '@evil.test',
        '',
        `/${'x'.repeat(500)}`,
      ];
      for (const returnTo of attempts) {
        expectInvalid(await scene.api.request('GET', startOf('google', { returnTo })), 'query.returnTo');
      }
      for (const role of ['admin', 'moderator', 'x']) {
        expectInvalid(await scene.api.request('GET', startOf('google', { role })), 'query.role');
      }
      expectInvalid(await scene.api.request('GET', startOf('google', { redirect_uri: '/x' })), 'query.redirect_uri');
    });
  });
});
