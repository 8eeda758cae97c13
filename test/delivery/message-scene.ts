import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { MINUTE, SECOND } from '../../src/core/clock.js';
import { type Json } from '../support/api.js';
import { Campus, type NewPerson, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { converse, followed, say, settled } from '../support/chat.js';
import { until } from '../support/until.js';
import { Scene } from './scene.js';

/** After so long those are told who have not read what was said. */
export const SOON = 6 * SECOND;

export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}

/** What names these people, in a message. */
export function naming(...people: Person[]): { mentions: string[] } {
  return { mentions: people.map(({ id }) => id) };
}

/** The address of a message. */
export function pathOf({ conversationId, id }: Json): string {
  return `/conversations/${conversationId as string}/messages/${id as string}`;
}

/** Puts other words in the place of one's own. */
export async function edit(person: Person, message: Json, body: string, more: object = {}): Promise<void> {
  const answer = await person.patch(pathOf(message), { body, ...more });
  expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
}

/** Two who have a conversation. */
export interface Pair {
  sara: Person;
  omar: Person;
  id: string;
}

/** A campus with one node, and what tests of being told of messages do again and again. */
export class MessageScene extends Scene {
  static override async open(): Promise<MessageScene> {
    const campus = await Campus.open(SWEPT_OFTEN);
    return new MessageScene(campus, await campus.startNode());
  }

  people(...choices: NewPerson[]): Promise<Person[]> {
    return Promise.all(choices.map((each) => this.register(each)));
  }

  async pair(): Promise<Pair> {
    const [sara, omar] = (await this.people({ name: 'Sara' }, { name: 'Omar' })) as [Person, Person];
    return { sara, omar, id: await converse(sara, [omar]) };
  }

  /** Three in a group, the first of whom speaks, and the last of whom reads Arabic. */
  async trio(): Promise<Pair & { amal: Person }> {
    const people = await this.people({ name: 'Sara' }, { name: 'Omar' }, { name: 'أمل', locale: 'ar' });
    const [sara, omar, amal] = people as [Person, Person, Person];
    return { sara, omar, amal, id: await converse(sara, [omar, amal], 'Team') };
  }

  /** A group of so many that one opens, most of whom are members as if they had been invited like the second one. */
  async multitude(one: Person, other: Person, count: number): Promise<string> {
    const id = await converse(one, [other], 'Everybody');
    const memberships = this.campus.db.collection('memberships');
    const second = { conversationId: new ObjectId(id), userId: new ObjectId(other.id) };
    const { _id: _, ...membership } = (await memberships.findOne(second))!;
    const crowd = await this.crowd(count - 2);
    await memberships.insertMany(crowd.map((each) => ({ ...membership, userId: new ObjectId(each.id) })));
    return id;
  }

  /** What they were told of messages, the newest first; or what of this type. */
  async toldOf(person: Person, type = 'MESSAGE'): Promise<Json[]> {
    const { body } = await person.get(`/notifications?type=${type}`);
    return body.data as Json[];
  }

  /** Their only one of this type, once it is as it should be. */
  async only(person: Person, type: string, fits: (told: Json) => boolean = () => true): Promise<Json> {
    const [one] = await until(
      () => this.toldOf(person, type),
      ({ length, 0: first }) => length === 1 && fits(first),
    );
    return one;
  }

  /** They have none of this type any more. */
  async none(person: Person, type: string): Promise<void> {
    await until(
      () => this.toldOf(person, type),
      ({ length }) => length === 0,
    );
  }

  /** All their notifications of this type as they are kept, whether they are shown or not; without what is told late. */
  kept(person: Person, type: string): Promise<Json[]> {
    return this.campus.db
      .collection('notifications')
      .find({ userId: new ObjectId(person.id), type }, { projection: { toldAt: 0 }, sort: { _id: 1 } })
      .toArray();
  }

  pushesTo(token: string): Json[] {
    return this.edge.fcm.received.filter(({ message }) => message.token === token).map(({ message }) => message);
  }

  /** The newest line that they were told of messages, once it is so many. */
  async told(person: Person, count: number): Promise<Json> {
    const [line] = await until(
      () => this.toldOf(person),
      ([newest]) => newest?.count === count,
    );
    return line;
  }

  /** Says something to somebody who is to be told, and waits until it is told. */
  async tell(from: Person, id: string, words: string[], to: Person, count: number): Promise<Json> {
    const said: Json[] = [];
    for (const each of words) said.push(await say(from, id, each));
    await this.soonAfter(...said);
    return this.told(to, count);
  }

  /** Lets the time pass after which these messages are told, all of them together. */
  async soonAfter(...said: Json[]): Promise<void> {
    await Promise.all(said.map((message) => settled(this.campus, message)));
    this.campus.clock.advance(SOON);
  }

  /** All has followed on what has happened so far: it has on what somebody, since all others have left, says to nobody. */
  async allFollowed(): Promise<void> {
    const [one, other] = (await this.people({}, {})) as [Person, Person];
    const id = await converse(one, [other], 'Alone');
    expect((await other.post(`/conversations/${id}/leave`)).status).to.equal(204);
    await followed(this.campus, one, id);
  }

  /** Nobody is to be told of anything any more. */
  async newsIsTold(): Promise<void> {
    await this.allFollowed();
    await until(
      () => this.campus.db.collection('messageNews').countDocuments(),
      (count) => count === 0,
    );
  }

  /** Lets time pass; access tokens run out meanwhile, so these people sign in again. */
  async pass(minutes: number, ...whose: Person[]): Promise<void> {
    this.campus.clock.advance(minutes * MINUTE);
    for (const person of whose) person.token = (await this.api.signIn(person.email, person.password)).token;
  }
}
