import { randomBytes } from 'node:crypto';
import { ObjectId } from 'mongodb';
import pLimit from 'p-limit';
import { Manager } from 'socket.io-client';
import { type Stage } from '../../bench/stage.js';
import { Api, LiveSocket, type Person } from '../../../test/support/api.js';
import { converse, sociable } from '../../../test/support/chat.js';

/** Someone with the app open. */
export interface Resident extends App {
  person: Person;
  postIds: string[];
  /** The conversation with the next one. */
  pairId: string;
}

export interface Campus {
  residents: Resident[];
  /** Conversations of ten of them, whose first member is the one of that place times ten. */
  groupIds: string[];
  /** People with a phone and no open app, each in a conversation with the resident of the same place. */
  away: { person: Person; conversationId: string }[];
}

export const GROUP = 10;
const AT_ONCE = 4;
const POSTS = 20;

/** An open app. */
export interface App {
  messages: LiveSocket;
  notifications: LiveSocket;
  presence: LiveSocket;
  close: () => void;
}

/** Opens what an app opens: one connection, with the three namespaces that it needs. */
export async function openApp({ api, token }: Person): Promise<App> {
  const manager = new Manager(api.url, { transports: ['websocket'], reconnection: false });
  const open = async (namespace: string): Promise<LiveSocket> => {
    const socket = manager.socket(namespace, { auth: { token } });
    const live = new LiveSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return live;
  };
  const [messages, notifications, presence] = await Promise.all([
    open('/messages'),
    open('/notifications'),
    open('/presence'),
  ]);
  return { messages, notifications, presence, close: () => manager.engine.close() };
}

/** People with a phone, posts, conversations and the app open, on the node at this address. */
export async function prepareCampus(stage: Stage, url: string, count: number): Promise<Campus> {
  const node = new Api(url);
  const limit = pLimit(AT_ONCE);
  const arrive = async (): Promise<Person> => {
    const person = await sociable(await node.register());
    await person.post('/push/register', { token: randomBytes(12).toString('hex'), platform: 'ANDROID' });
    return person;
  };
  const people = await Promise.all(Array.from({ length: count }, () => limit(arrive)));
  const absent = await Promise.all(Array.from({ length: count / 2 }, () => limit(arrive)));
  const residents = await Promise.all(
    people.map((person, index) =>
      limit(async (): Promise<Resident> => {
        const own = await person.publish('What does it take to be heard at once? كيف تُسمَع الأصوات؟');
        const more = await stage.writeLike('posts', { _id: new ObjectId(own) }, POSTS - 1, () => ({}));
        const next = people[(index + 1) % count] ?? person;
        const pairId = await converse(person, [next]);
        const app = await openApp(person);
        await app.notifications.ask('presence:foreground', { foreground: true });
        return { ...app, person, postIds: [own, ...more], pairId };
      }),
    ),
  );
  for (const [index, { messages, pairId }] of residents.entries()) {
    await messages.ask('conversation:join', { conversationId: pairId });
    await residents[(index + 1) % count]?.messages.ask('conversation:join', { conversationId: pairId });
  }
  const groupIds: string[] = [];
  for (let at = 0; at + GROUP <= count; at += GROUP) {
    const members = residents.slice(at, at + GROUP);
    const [first, ...others] = members.map(({ person }) => person) as [Person, ...Person[]];
    const id = await converse(first, others, `Group ${at / GROUP + 1}`);
    for (const { messages } of members) await messages.ask('conversation:join', { conversationId: id });
    groupIds.push(id);
  }
  const away = await Promise.all(
    absent.map((person, index) =>
      limit(async () => {
        const resident = residents[index]?.person ?? person;
        return { person, conversationId: await converse(resident, [person]) };
      }),
    ),
  );
  return { residents, groupIds, away };
}
