import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Api, Campus, WITHOUT_WORKERS } from '../support/campus.js';
import { until } from '../support/until.js';
import { arrive, ask, becomes, set, statesOf, subscribe, watcherOf } from './presence-scene.js';

describe('Presence', () => {
  let campus: Campus;
  let here: Api;
  let there: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    [here, there] = [await campus.startNode(), await campus.startNode()];
  });
  after(() => campus.close());

  it('is online from the first device to the last, on whatever nodes, and then says when that was', async () => {
    const person = await here.register();
    const { screen } = await watcherOf(here, person);
    const began = Date.now();
    const phone = await arrive(person.on(there));
    await becomes(screen, person, 'online');
    const laptop = await arrive(person);
    const tablet = await arrive(person.on(there));
    phone.socket.disconnect();
    tablet.socket.disconnect();
    // Had the others’ end made them seem offline, that would have been told before this.
    await set(laptop, 'busy');
    await becomes(screen, person, 'busy');
    laptop.socket.disconnect();
    await becomes(screen, person, 'offline');
    expect(statesOf(screen, person)).to.deep.equal(['online', 'busy', 'offline']);
    const [online, , offline] = screen.all('presence');
    expect(online).to.deep.equal({ userId: person.id, state: 'online' });
    expect(offline).to.have.all.keys('userId', 'state', 'lastSeenAt');
    expect(Date.parse(offline.lastSeenAt as string)).to.be.within(began - 1_000, Date.now() + 1_000);
  });

  it('is away only where all devices are, and busy or not for all of them', async () => {
    const person = await here.register();
    const { screen } = await watcherOf(here, person);
    const [phone, laptop, tablet] = [await arrive(person.on(there)), await arrive(person), await arrive(person)];
    await set(phone, 'away');
    await set(laptop, 'away');
    expect(statesOf(screen, person)).to.deep.equal(['online']);
    await set(tablet, 'away');
    await becomes(screen, person, 'away');
    await set(phone, 'busy');
    await becomes(screen, person, 'busy');
    // It comes back, which says nothing of what was chosen for all.
    await set(laptop, 'online');
    await set(tablet, 'online');
    expect((await ask(await here.register(), person)).state).to.equal('busy');
    await set(tablet, 'online');
    await becomes(screen, person, 'online');
    expect(statesOf(screen, person)).to.deep.equal(['online', 'away', 'busy', 'online']);
    person.disconnect();
  });

  it('of whoever is invisible is that of someone who left then, whatever they do', async () => {
    const person = await here.register();
    const { viewer, screen } = await watcherOf(here, person);
    const device = await arrive(person);
    await becomes(screen, person, 'online');
    await set(device, 'invisible');
    const { lastSeenAt } = await screen.next('presence', ({ state }) => state === 'offline');
    const hidden = { userId: person.id, state: 'offline', lastSeenAt };

    await set(device, 'away');
    await set(device, 'online');
    const second = await person.on(there).connect('/presence');
    await set(second, 'away');
    for (const { socket } of [device, second]) socket.disconnect();
    const third = await person.connect('/presence');
    await until(
      async () => (await campus.db.collection('presences').findOne({ _id: new ObjectId(person.id) }))?.['nodes'],
      (nodes: unknown[]) => nodes.length === 1,
    );
    expect(await ask(viewer, person)).to.deep.equal(hidden);
    expect(statesOf(screen, person)).to.deep.equal(['online', 'offline']);
    await set(third, 'online');
    await becomes(screen, person, 'online');
    person.disconnect();
  });

  it('is told only of those who were asked for last, and answered at once with how each stands', async () => {
    const [one, other, absent] = [await here.register(), await here.register(), await here.register()];
    const { viewer, screen } = await watcherOf(here, one);
    const device = await arrive(one);
    await becomes(screen, one, 'online');
    const answer = await subscribe(screen, other, absent, other, { id: 'F'.repeat(24) });
    expect(answer).to.deep.equal([
      { userId: other.id, state: 'offline' },
      { userId: absent.id, state: 'offline' },
      { userId: 'f'.repeat(24), state: 'offline' },
    ]);
    await set(device, 'busy');
    const otherDevice = await arrive(other.on(there));
    await becomes(screen, other, 'online');
    expect(statesOf(screen, one)).to.deep.equal(['online']);
    expect(await subscribe(screen, one, viewer)).to.deep.equal([
      { userId: one.id, state: 'busy' },
      { userId: viewer.id, state: 'online' },
    ]);
    expect(await subscribe(screen)).to.deep.equal([]);
    otherDevice.socket.disconnect();
    await set(device, 'online');
    await until(async () => (await ask(viewer, other)).state === 'offline');
    expect(screen.all('presence')).to.have.length(2);
    one.disconnect();
  });

  it('says so when what is sent makes no sense', async () => {
    const person = await here.register();
    const socket = await person.connect('/presence');
    const ids = (count: number) => Array.from({ length: count }, () => new ObjectId().toHexString());
    expect((await socket.ask('presence:subscribe', { userIds: ids(200) })).presences).to.have.length(200);
    const wrong: [string, unknown][] = [
      ['presence:subscribe', { userIds: ids(201) }],
      ['presence:subscribe', { userIds: ['me'] }],
      ['presence:subscribe', { userIds: [{ $ne: null }] }],
      ['presence:subscribe', {}],
      ['presence:set', { state: 'offline' }],
      ['presence:set', { state: 'متصل' }],
      ['presence:set', {}],
    ];
    for (const [event, payload] of wrong) {
      const { ok, error } = await socket.ask(event, payload);
      expect({ ok, code: error.code }, JSON.stringify(payload)).to.deep.equal({ ok: false, code: 'VALIDATION_FAILED' });
    }
    person.disconnect();
  });
});
