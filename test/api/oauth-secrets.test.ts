import { expect } from 'chai';
import { OpenIdEdge } from '../edge/openid.js';
import { Campus } from '../support/campus.js';
import { type ProcessNode, spawnNode } from '../support/process-node.js';
import { Browser } from './oauth-browser.js';
import { goBack, HOUSES, Outcome, someone, toTheWayBack } from './oauth-scene.js';

describe('The log of sign-ins with providers, at its most talkative', () => {
  let campus: Campus;
  let openid: OpenIdEdge;
  let node: ProcessNode;
  before(async () => {
    campus = await Campus.open();
    openid = await OpenIdEdge.start();
    const environment = { ...campus.environment(), ...openid.environment(), MONGODB_URI: campus.uri };
    node = await spawnNode(environment, 'test/security/talkative-node.ts');
  });
  after(async () => {
    await node.kill();
    await campus.close();
    await openid.stop();
  });

  it('names the provider and what kind of thing went wrong, and no secret, code, token, address or name', async () => {
    const secrets = new Set<string>();
    for (const house of HOUSES) {
      for (const fault of [undefined, 'down', 'forged'] as const) {
        const person = someone(house, { name: 'Unmistakable Name' });
        openid.add(house, person.account);
        const browser = new Browser(node.api);
        const back = await toTheWayBack(browser, person);
        const returned = back.form ?? back.url.searchParams;
        for (const part of [browser.cookie('atrium_oauth')!, ...browser.cookie('atrium_oauth')!.split('.')]) {
          secrets.add(part);
        }
        for (const name of ['code', 'state']) secrets.add(returned.get(name)!);
        secrets.add(person.email);
        const body = JSON.stringify({ error: 'server_error', error_description: person.email, access_token: 'at-1' });
        const path = { google: '/token', apple: '/token', github: '/access_token', facebook: '/access_token' }[house];
        const mend = fault === 'down' && openid.misbehave(house, path, { kind: 'answer', status: 400, body });
        if (fault === 'forged') browser.cookies = browser.cookies.filter(({ name }) => name !== 'atrium_oauth');
        const page = await goBack(browser, back);
        if (mend) mend();
        const { said } = new Outcome(node.api, browser, page);
        if (fault === undefined) {
          expect(said).to.deep.equal({ oauth: 'signed-in' });
          secrets.add(browser.cookie('atrium_refresh')!);
        } else if (fault === 'down') expect(said).to.deep.equal({ problem: 'OAUTH_PROVIDER_FAILED' });
        else expect(page.status).to.equal(400);
      }
    }
    expect(await node.terminate()).to.equal(0);

    const { OAUTH_GOOGLE_CLIENT_SECRET: clientSecret = '' } = openid.environment();
    const log = JSON.stringify(node.log);
    for (const secret of [...secrets, clientSecret, 'at-1', 'Unmistakable']) {
      expect(secret.length).to.be.above(3);
      expect(log.includes(secret), `${secret} is in the log`).to.equal(false);
    }
    expect(log).not.to.match(/PRIVATE KEY|eyJ[\w-]+\.eyJ/);
    const failures = node.log.filter(({ msg }) => msg === 'oauth: a provider failed');
    expect(failures.map(({ provider, reason }) => [provider, reason])).to.deep.equal(
      HOUSES.map((house) => [house, 'server_error']),
    );
    const callbacks = node.log.filter(({ req }) => (req as { path?: string } | undefined)?.path?.endsWith('/callback'));
    expect(callbacks).to.have.length(12);
  }).timeout(60_000);
});
