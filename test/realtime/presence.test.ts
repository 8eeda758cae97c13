import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { DAY } from '../../src/core/clock.js';
import { type Json, type LiveSocket } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { until } from '../support/until.js';

describe('Presence', () => {
  let campus: Campus;
  let here: Api;
  let there: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    [here, there] = [await campus.startNode(), await campus.startNode()];
  });
  after(() => campus.close());

  const subscribe = async (socket: LiveSocket, ...people: { id: string }[]): Promise<Json[]> => {
    const { ok, presences } = await socket.ask('presence:subscribe', { userIds: people.map(({ id }) => id) });
    expect(ok).to.equal(true);
    return presences;
  };
  /** Someone with another on the screen, connected to the first node. */
  const watcherOf = async (...people: Person[]): Promise<{ viewer: Person; screen: LiveSocket }> => {
    const viewer = await here.register();
    const screen = await viewer.connect('/presence');
    await subscribe(screen, ...people);
    return { viewer, screen };
  };
  const statesOf = (screen: LiveSocket, { id }: Person): string[] =>
    screen.all('presence').flatMap(({ userId, state }) => (userId === id ? [state as string] : []));
  /** Waits until that is what was told last. */
  const becomes = (screen: LiveSocket, person: Person, state: string): Promise<string | undefined> =>
    until(
      () => statesOf(screen, person).at(-1),
      (last) => last === state,
    );
  const set = async (socket: LiveSocket, state: string): Promise<void> => {
    expect(await socket.ask('presence:set', { state })).to.deep.equal({ ok: true });
  };
  /** Connects and waits until that is stored. */
  const arrive = async (person: Person): Promise<LiveSocket> => {
    const socket = await person.connect('/presence');
    await set(socket, 'online');
    return socket;
  };
  const befriend = async (one: Person, other: Person): Promise<string> => {
    const { body } = await one.post('/connections', { userId: other.id });
    expect((await other.put(`/connections/${body.id as string}/accept`)).status).to.equal(200);
    return body.id as string;
  };
  /** What a stranger is shown who asks now. */
  const ask = async (viewer: Person, person: Person): Promise<Json> => {
    const socket = await viewer.connect('/presence');
    const [shown] = await subscribe(socket, person);
    socket.socket.disconnect();
    return shown;
  };

  it('is online from the first device to the last, on whatever nodes, and then says when that was', async () => {
    const person = await here.register();
    const { screen } = await watcherOf(person);
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
    const { screen } = await watcherOf(person);
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
    const { viewer, screen } = await watcherOf(person);
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
    const { viewer, screen } = await watcherOf(one);
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

  it('follows what its owner lets others see, at once, on every node', async () => {
    const [person, friend] = [await here.register(), await here.register()];
    const device = await arrive(person);
    const { viewer, screen } = await watcherOf(person);
    const friends = await friend.on(there).connect('/presence');
    await subscribe(friends, person);
    const unseen = { userId: person.id, state: 'offline' };

    await person.patch('/settings/privacy', { showActivityStatus: false });
    for (const each of [screen, friends]) expect(await each.next('presence')).to.deep.equal(unseen);
    await set(device, 'busy');
    expect(await ask(viewer, person)).to.deep.equal(unseen);
    const own = await person.on(there).connect('/presence');
    expect(await subscribe(own, person)).to.deep.equal([{ userId: person.id, state: 'busy' }]);
    await person.patch('/settings/privacy', { showActivityStatus: true });
    for (const each of [screen, friends]) await becomes(each, person, 'busy');

    await person.patch('/settings/privacy', { viewActivity: 'connections' });
    for (const each of [screen, friends]) await becomes(each, person, 'offline');
    const connection = await befriend(person, friend);
    await becomes(friends, person, 'busy');
    await friend.delete(`/connections/${connection}`);
    await becomes(friends, person, 'offline');
    expect(statesOf(screen, person)).to.deep.equal(['offline', 'busy', 'offline']);
    person.disconnect();
    friend.disconnect();
  });

  it('is hidden from both sides of a block, at once, and from nobody else', async () => {
    const [person, third] = [await here.register(), await here.register()];
    const { viewer, screen } = await watcherOf(person);
    const device = await arrive(person.on(there));
    await subscribe(device, viewer);
    const thirds = await third.on(there).connect('/presence');
    await subscribe(thirds, person, viewer);
    await becomes(screen, person, 'online');

    await person.post(`/users/${viewer.id}/block`);
    await becomes(screen, person, 'offline');
    await becomes(device, viewer, 'offline');
    for (const [one, other] of [
      [viewer, person],
      [person, viewer],
    ] as const) {
      expect(await ask(one, other)).to.deep.equal({ userId: other.id, state: 'offline' });
    }
    await set(device, 'busy');
    await becomes(thirds, person, 'busy');
    expect(statesOf(screen, person)).to.deep.equal(['online', 'offline']);
    await person.delete(`/users/${viewer.id}/block`);
    await becomes(screen, person, 'busy');
    await becomes(device, viewer, 'online');
    for (const each of [person, third]) each.disconnect();
  });

  it('ends with the session, and with what allowed it', async () => {
    const person = await here.register();
    const laptop = await here.signIn(person.email, person.password);
    const { viewer, screen } = await watcherOf(person);
    await arrive(person.on(there));
    const other = await arrive(laptop);
    await becomes(screen, person, 'online');
    await person.post('/auth/logout');
    await set(other, 'away');
    await becomes(screen, person, 'away');
    const suspendedUntil = new Date(campus.clock.now().getTime() + DAY).toISOString();
    expect((await (await here.admin()).patch(`/admin/users/${person.id}`, { suspendedUntil })).status).to.equal(200);
    await other.closed();
    await becomes(screen, person, 'offline');
    expect(await ask(viewer, person)).to.have.all.keys('userId', 'state', 'lastSeenAt');
  });

  it('is right in the end, however many devices come and go at once', async () => {
    const person = await here.register();
    const { viewer, screen } = await watcherOf(person);
    const kept = await arrive(person);
    const come = (count: number): Promise<LiveSocket[]> =>
      Promise.all(Array.from({ length: count }, (_, n) => person.on(n % 2 === 0 ? here : there).connect('/presence')));
    const first = await come(8);
    const [second] = await Promise.all([come(8), ...first.map(({ socket }) => Promise.resolve(socket.disconnect()))]);
    await Promise.all(second.map((socket, n) => set(socket, n % 3 === 0 ? 'away' : 'online')));
    for (const { socket } of [...second, kept]) socket.disconnect();
    await becomes(screen, person, 'offline');
    const stored = await until(
      () => campus.db.collection('presences').findOne({ _id: new ObjectId(person.id) }),
      (found) => found?.['nodes'].length === 0,
    );
    expect(stored).to.include({ state: 'offline' });
    expect((await ask(viewer, person)).state).to.equal('offline');
    expect(statesOf(screen, person).at(-1)).to.equal('offline');
  });

  it('comes back by itself where the node was taken for dead', async () => {
    const person = await here.register();
    const { screen } = await watcherOf(person);
    await arrive(person.on(there));
    await becomes(screen, person, 'online');
    const nodes = campus.db.collection<{ _id: string }>('nodes');
    const former = (await nodes.find().toArray()).map(({ _id }) => _id);
    // As another one does that has not heard of them for long.
    await nodes.updateMany({}, [{ $set: { isDead: true, seenAt: { $subtract: ['$seenAt', 21_000] } } }]);
    const { nodes: present } = await until(
      async () => (await campus.db.collection('presences').findOne({ _id: new ObjectId(person.id) })) as Json,
      ({ nodes: all }) => all.length === 1 && !former.includes(all[0].id as string),
    );
    expect(await nodes.countDocuments({ _id: present[0].id, isDead: { $exists: false } })).to.equal(1);
    await becomes(screen, person, 'online');
    person.disconnect();
  });

  it('ends for all at once with a node that stops, and nothing is left of it', async () => {
    const other = await Campus.open(WITHOUT_WORKERS);
    try {
      const staying = await other.startNode();
      const leaving = await other.startProcess({ env: WITHOUT_WORKERS });
      const [one, another, viewer] = [await staying.register(), await staying.register(), await staying.register()];
      const screen = await viewer.connect('/presence');
      await subscribe(screen, one, another);
      for (const each of [one, another]) await arrive(each.on(leaving.api));
      expect(await leaving.terminate()).to.equal(0);
      for (const each of [one, another]) await becomes(screen, each, 'offline');
      expect(await other.db.collection('nodes').countDocuments()).to.equal(1);
      viewer.disconnect();
      await until(
        () => other.db.collection('presences').countDocuments({ state: { $ne: 'offline' } }),
        (count) => count === 0,
      );
      await other.stopNodes();
      expect(await other.db.collection('nodes').countDocuments()).to.equal(0);
      expect(await other.db.collection('presences').countDocuments({ nodes: { $ne: [] } })).to.equal(0);
    } finally {
      await other.close();
    }
  });
});
