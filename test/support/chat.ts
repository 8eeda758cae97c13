import { randomBytes } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { type Answer, type Json } from './api.js';
import { type Campus, type Person } from './campus.js';
import { until } from './until.js';

/** Lets anyone add this person to a group. */
export async function sociable(person: Person): Promise<Person> {
  const { status } = await person.patch('/settings/privacy', { addToGroup: 'everyone' });
  if (status !== 200) throw new Error(`the settings were refused: ${status}`);
  return person;
}

/** Opens the conversation with these others, a group where it has a title, and answers with its id. */
export async function converse(person: Person, others: Person[], title?: string): Promise<string> {
  // On the node that is asked next: another one hears of it a moment later, and would refuse until then.
  if (title !== undefined) await Promise.all(others.map((other) => sociable(other.on(person.api))));
  const userIds = others.map(({ id }) => id);
  const { status, body } = await person.post('/conversations', { userIds, ...(title !== undefined && { title }) });
  if (status !== 201) throw new Error(`no conversation was opened: ${JSON.stringify(body)}`);
  return body.id as string;
}

/** What a client makes up for a message. */
export function clientId(): string {
  return randomBytes(8).toString('hex');
}

/** Sends a message by REST. */
export function send(person: Person, conversationId: string, body: string, more: object = {}): Promise<Answer<Json>> {
  return person.post(`/conversations/${conversationId}/messages`, { clientId: clientId(), body, ...more });
}

/** Sends one that is taken, and answers with it. */
export async function say(person: Person, conversationId: string, body: string, more: object = {}): Promise<Json> {
  const answer = await send(person, conversationId, body, more);
  if (answer.status !== 201) throw new Error(`a message was refused: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Waits until its author has read a message and it is the last one of its conversation: the first that follows on it. */
export async function settled({ db }: Campus, { conversationId, senderId, seq }: Json): Promise<void> {
  const id = new ObjectId(conversationId as string);
  const its = { conversationId: id, userId: new ObjectId(senderId as string) };
  await until(
    () => Promise.all([db.collection('memberships').findOne(its), db.collection('conversations').findOne({ _id: id })]),
    ([author, conversation]) => author?.['lastReadSeq'] >= seq && conversation?.['lastSeq'] >= seq,
  );
}

/**
 * Waits until all has followed that follows some time later on what was said, read, edited or deleted so far. It says
 * something, and has other words for it once that has begun to be followed: so these are followed after all else.
 */
export async function followed(campus: Campus, person: Person, conversationId: string): Promise<void> {
  const marker = await say(person, conversationId, 'Marker');
  await settled(campus, marker);
  const path = `/conversations/${conversationId}`;
  await person.patch(`${path}/messages/${marker.id as string}`, { body: 'All has followed' });
  await until(
    () => person.get(path),
    ({ body }) => body.lastMessage?.excerpt === 'All has followed',
  );
}

/** The newest messages of a conversation as this person sees them. */
export async function read(person: Person, conversationId: string, query = ''): Promise<Json[]> {
  const { status, body } = await person.get(`/conversations/${conversationId}/messages${query}`);
  if (status !== 200) throw new Error(`no messages were read: ${JSON.stringify(body)}`);
  return body.data as Json[];
}
