import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { DAY } from '../../src/core/clock.js';
import { type Json, type LiveSocket } from '../support/api.js';
import { type Api, Campus, WITHOUT_WORKERS } from '../support/campus.js';
import { until } from '../support/until.js';
import { arrive, ask, becomes, befriend, set, statesOf, subscribe, watcherOf } from './presence-scene.js';

describe('What others see of one’s presence, and how it ends,', () => {
  let campus: Campus;
  let here: Api;
  let there: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    [here, there] = [await campus.startNode(), await campus.startNode()];
  });
  after(() => campus.close());

  it('follows what its owner lets others see, at once, on every node', async () => {
    const [person, friend] = [await here.register(), await here.register()];
    const device = await arrive(person);
    const { viewer, screen } = await watcherOf(here, person);
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
    const { viewer, screen } = await watcherOf(here, person);
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
    const { viewer, screen } = await watcherOf(here, person);
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
    const { viewer, screen } = await watcherOf(here, person);
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
    const { screen } = await watcherOf(here, person);
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
