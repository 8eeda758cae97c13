import { type Socket as TcpSocket } from 'node:net';
import { expect } from 'chai';
import { type Json, type LiveSocket } from '../support/api.js';
import { Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { until } from '../support/until.js';

const PROMISED_MS = 30_000;

/** Has a device vanish as by a dead radio: it neither reads nor says anything, and its connection is not ended. */
function vanish({ socket }: LiveSocket): void {
  const { ws } = socket.io.engine.transport as unknown as { ws: { _socket: TcpSocket } };
  ws._socket.pause();
}

describe('The presence of those who are lost', function () {
  // What is promised within half a minute is waited for; a process starts.
  this.timeout(100_000);

  let campus: Campus;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
  });
  after(() => campus.close());

  it('ends within 30 seconds, where a device vanishes and where its node is killed, but not where others are left', async () => {
    const [api, elsewhere] = [await campus.startNode(), await campus.startNode()];
    const node = await campus.startProcess({ env: WITHOUT_WORKERS });
    const [walker, victim, lucky, viewer] = (await Promise.all(Array.from({ length: 4 }, () => api.register()))) as [
      Person,
      Person,
      Person,
      Person,
    ];
    // On another node than those that are told of.
    const screen = await viewer.on(elsewhere).connect('/presence');
    const userIds = [walker, victim, lucky].map(({ id }) => id);
    await screen.ask('presence:subscribe', { userIds });
    const last = ({ id }: Person): Json => screen.all('presence').findLast(({ userId }) => userId === id) ?? {};
    const becomes = (person: Person, state: string) =>
      until(
        () => last(person),
        (shown) => shown.state === state,
        PROMISED_MS,
      );
    const phone = await walker.connect('/presence');
    for (const person of [victim, lucky]) await person.on(node.api).connect('/presence');
    const kept = await lucky.connect('/presence');
    await Promise.all([walker, victim, lucky].map((person) => becomes(person, 'online')));

    const lostAt = Date.now();
    vanish(phone);
    await node.kill();
    await Promise.all([becomes(walker, 'offline'), becomes(victim, 'offline')]);
    expect(Date.now() - lostAt).to.be.below(PROMISED_MS);
    // When they were last heard of, and not when that was noticed.
    for (const person of [walker, victim]) {
      expect(Date.parse(last(person).lastSeenAt as string), person.name).to.be.below(lostAt + 6_000);
    }
    await kept.ask('presence:set', { state: 'busy' });
    await becomes(lucky, 'busy');
    const states = screen.all('presence').filter(({ userId }) => userId === lucky.id);
    expect(states.map(({ state }) => state as string)).to.deep.equal(['online', 'busy']);
    for (const person of [walker, victim, lucky, viewer]) person.disconnect();
  });
});
