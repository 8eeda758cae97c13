import { expect } from 'chai';
import { type Json, type LiveSocket } from './api.js';
import { type Api, type NewPerson, type Person } from './campus.js';

/** A device of someone, connected to `/calls` on a node. */
export interface Device {
  person: Person;
  live: LiveSocket;
  id: string;
}

/** Someone whom everyone may call. */
export async function callable(api: Api, choices: NewPerson = {}): Promise<Person> {
  const person = await api.register(choices);
  const { status } = await person.patch('/settings/privacy', { call: 'everyone' });
  expect(status).to.equal(200);
  return person;
}

export async function deviceOf(person: Person, node?: Api): Promise<Device> {
  const live = await (node ? person.on(node) : person).connect('/calls');
  return { person, live, id: live.socket.id ?? '' };
}

/** Sends an event that must be answered with a call, and answers with that. */
export async function call({ live }: Device, event: string, payload: object): Promise<Json> {
  const answer = await live.ask(`call:${event}`, payload);
  expect(answer, `${event}: ${JSON.stringify(answer)}`).to.deep.include({ ok: true });
  return answer.call;
}

/** Sends an event that must be refused, and answers with the status and the code. */
export async function refused({ live }: Device, event: string, payload: object): Promise<string> {
  const answer = await live.ask(`call:${event}`, payload);
  expect(answer, `${event}: ${JSON.stringify(answer)}`).to.deep.include({ ok: false });
  return `${answer.error.status as number} ${answer.error.code as string}`;
}

/** Calls these, one or several. */
export function start(from: Device, ...others: Device[]): Promise<Json> {
  return call(from, 'start', { userIds: others.map(({ person }) => person.id), type: 'voice' });
}

/** Calls someone who answers. */
export async function talk(from: Device, to: Device): Promise<{ callId: string }> {
  const { id } = await start(from, to);
  await to.live.next('call:incoming', (heard) => heard.id === id);
  await call(to, 'accept', { callId: id });
  return { callId: id as string };
}

/** The call as that device hears it once it has come to what is waited for. */
export function heard({ live }: Device, callId: string, fits: (call: Json) => boolean): Promise<Json> {
  return live.next('call:updated', (one) => one.id === callId && fits(one));
}

export const has = (status: string) => (one: Json) => one.status === status;

/** How it stands with someone in a call. */
export function stateOf(of: Json, { person }: Device): Json {
  return of.participants.find(({ user }: Json) => user.id === person.id);
}

export function statesOf(of: Json): string[] {
  return of.participants.map(({ state }: Json) => state as string);
}
