import { expect } from 'chai';
import { type Json, type LiveSocket } from '../support/api.js';
import { type Api, type Person } from '../support/campus.js';
import { until } from '../support/until.js';

/** Puts people on the screen, and answers with how each stands. */
export async function subscribe(socket: LiveSocket, ...people: { id: string }[]): Promise<Json[]> {
  const { ok, presences } = await socket.ask('presence:subscribe', { userIds: people.map(({ id }) => id) });
  expect(ok).to.equal(true);
  return presences;
}

/** Someone with others on the screen. */
export async function watcherOf(node: Api, ...people: Person[]): Promise<{ viewer: Person; screen: LiveSocket }> {
  const viewer = await node.register();
  const screen = await viewer.connect('/presence');
  await subscribe(screen, ...people);
  return { viewer, screen };
}

/** All that was told of a person, in order. */
export function statesOf(screen: LiveSocket, { id }: Person): string[] {
  return screen.all('presence').flatMap(({ userId, state }) => (userId === id ? [state as string] : []));
}

/** Waits until that is what was told last. */
export function becomes(screen: LiveSocket, person: Person, state: string): Promise<string | undefined> {
  return until(
    () => statesOf(screen, person).at(-1),
    (last) => last === state,
  );
}

/** Says how its user stands. */
export async function set(socket: LiveSocket, state: string): Promise<void> {
  expect(await socket.ask('presence:set', { state })).to.deep.equal({ ok: true });
}

/** Connects and waits until that is stored. */
export async function arrive(person: Person): Promise<LiveSocket> {
  const socket = await person.connect('/presence');
  await set(socket, 'online');
  return socket;
}

/** Connects two, and answers with the id of the connection. */
export async function befriend(one: Person, other: Person): Promise<string> {
  const { body } = await one.post('/connections', { userId: other.id });
  expect((await other.put(`/connections/${body.id as string}/accept`)).status).to.equal(200);
  return body.id as string;
}

/** What a stranger is shown who asks now. */
export async function ask(viewer: Person, person: Person): Promise<Json> {
  const socket = await viewer.connect('/presence');
  const [shown] = await subscribe(socket, person);
  socket.socket.disconnect();
  return shown;
}
