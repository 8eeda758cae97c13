import { expect } from 'chai';
import { HOUR, MINUTE } from '../../src/core/clock.js';
import { Coturn, type Credentials } from '../edge/coturn.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { until } from '../support/until.js';

const SECRET = 'a secret that relays share';

describe('What helps devices in a call find a way to each other', function () {
  // A new machine installs the relay first.
  this.timeout(180_000);
  let campus: Campus;
  let relay: Coturn;
  let api: Api;
  let person: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    relay = await Coturn.start({ secret: SECRET, folder: campus.dataDir });
    const stun = 'stun:stun.campus.test:3478';
    api = await campus.startNode({ env: { STUN_URLS: stun, TURN_URLS: relay.url, TURN_SECRET: SECRET } });
    person = await api.register();
  });
  after(async () => {
    await relay.stop();
    await campus.close();
  });

  interface Answer {
    iceServers: ({ urls: string[] } & Partial<Credentials>)[];
    expiresAt: string;
  }
  const fetched = async (): Promise<Answer> => (await person.get('/calls/ice-servers')).body as Answer;
  const credentials = async (): Promise<Credentials> => {
    const { username = '', credential = '' } = (await fetched()).iceServers[1]!;
    return { username, credential };
  };

  it('is named as browsers take it, with credentials of the user’s own that say until when they hold', async () => {
    const { iceServers, expiresAt } = await fetched();
    const [stun, turn] = iceServers;
    expect(stun).to.deep.equal({ urls: ['stun:stun.campus.test:3478'] });
    expect(turn).to.have.all.keys('urls', 'username', 'credential');
    expect(turn!.urls).to.deep.equal([relay.url]);
    expect(turn!.username).to.equal(`${Date.parse(expiresAt) / 1_000}:${person.id}`);
    expect(Date.parse(expiresAt) - Date.now()).to.be.within(6 * HOUR - MINUTE, 6 * HOUR);
    expect(JSON.stringify(iceServers)).to.not.include(SECRET);
  });

  it('is a relay that takes these credentials, and no others', async () => {
    const given = await credentials();
    // It takes a moment to start.
    expect(await until(() => relay.relays(given), Boolean, 60_000)).to.equal(true);
    const [expiry = '', id = ''] = given.username.split(':');
    const forged: Credentials[] = [
      { ...given, credential: Buffer.from('a guess').toString('base64') },
      { ...given, username: `${Number(expiry) + 3_600}:${id}` },
      { ...given, username: `${expiry}:${'f'.repeat(24)}` },
    ];
    for (const one of forged) expect(await relay.relays(one), one.username).to.equal(false);
  });

  it('is a relay that takes no credentials that have expired', async () => {
    campus.clock.advance(-7 * HOUR);
    const expired = await credentials();
    campus.clock.advance(7 * HOUR);
    expect(await relay.relays(expired)).to.equal(false);
  });

  it('is nothing where nothing is configured', async () => {
    const bare = await campus.startNode();
    expect((await person.on(bare).get('/calls/ice-servers')).body).to.deep.equal({ iceServers: [] });
  });
});
