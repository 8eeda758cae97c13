import { type Db, ObjectId } from 'mongodb';
import { type PersonLedger } from '../ledger.js';
import { doubled, type Finding, sum } from './finding.js';
import { type Reader } from './reader.js';

interface Delivery {
  status: string;
  reason?: string;
  error?: string;
  attempts: number;
}

interface Notification {
  _id: ObjectId;
  userId: ObjectId;
  type: string;
  dedupeKey: string;
  channels: { inApp?: { status: string } } & Record<string, Delivery>;
}

const OUTSIDE = ['email', 'webPush', 'mobilePush', 'sms'] as const;
/** Nothing more will become of these. */
const ENDED: readonly string[] = ['sent', 'delivered', 'skipped', 'cancelled', 'dead'];
/** And these wait by right: for their recipient to read what they tell of, or to look away from the app. */
const WAITING: readonly (string | undefined)[] = ['UNREAD_DELAY', 'PRESENT', 'QUIET_HOURS', 'DIGEST'];

/** What has reached the providers, by the id of the notification, as often as it has. */
export type HandedOver = Readonly<Partial<Record<string, readonly string[]>>>;

/** Whether everyone was told of everything, once, as the app lists and counts it. */
export async function verifyInboxes(
  people: readonly PersonLedger[],
  readerOf: (person: PersonLedger) => Reader,
): Promise<Finding> {
  const wrong: string[] = [];
  let [listed, unread] = [0, 0];
  for (const person of people) {
    const reader = readerOf(person);
    const all = await reader.all<{ id: string }>('/notifications');
    const open = await reader.all<{ id: string }>('/notifications?unread=true');
    const { count } = await reader.get<{ count: number }>('/notifications/unread-count');
    listed += all.length;
    unread += count;
    wrong.push(...doubled(all.map(({ id }) => id)).map((id) => `${person.id} has notification ${id} listed twice`));
    if (open.length !== count) wrong.push(`${person.id} has ${open.length} unread listed and ${count} counted`);
  }
  return { what: 'notifications in the app', found: `${listed} listed, ${unread} unread, as counted`, wrong };
}

/** Whether each cause has exactly one notification, and each delivery has come to its end. */
export async function verifyDeliveries(
  db: Db,
  people: readonly PersonLedger[],
  handedOver?: HandedOver,
): Promise<Finding[]> {
  const userIds = people.map(({ id }) => new ObjectId(id));
  const told = await db
    .collection<Notification>('notifications')
    .find({ userId: { $in: userIds } })
    .toArray();
  return [
    await oneForEach(db, userIds, told),
    await news(db),
    endedOf(told),
    ...(handedOver ? [handed(told, handedOver)] : []),
  ];
}

/** What was said is told of some seconds later to those who have not read it by then. */
async function news(db: Db): Promise<Finding> {
  const waiting = await db.collection('messageNews').find().limit(5).toArray();
  const wrong = waiting.map(({ _id }) => `${String(_id)} waits to be told`);
  return { what: 'news of messages', found: 'all of them were told', wrong };
}

async function oneForEach(db: Db, userIds: ObjectId[], told: Notification[]): Promise<Finding> {
  const posts = await db
    .collection('posts')
    .find({ authorId: { $in: userIds } })
    .toArray();
  const authors = new Map(posts.map(({ _id, ['authorId']: authorId }) => [String(_id), String(authorId)]));
  const ofPosts = { postId: { $in: posts.map(({ _id }) => _id) } };
  const reactions = await db.collection('reactions').find(ofPosts).toArray();
  const comments = await db.collection('comments').find(ofPosts).toArray();
  const causes = [
    ...reactions.map(({ ['postId']: postId, ['userId']: by }) => ({
      ...{ postId: String(postId), by: String(by), key: `reaction:${String(postId)}:${String(by)}` },
    })),
    ...comments.map(({ _id, ['postId']: postId, ['authorId']: by }) => ({
      ...{ postId: String(postId), by: String(by), key: `comment:${String(_id)}` },
    })),
  ].filter(({ postId, by }) => authors.get(postId) !== by);
  const keyOf = (userId: string, key: string): string => `${userId} ${key}`;
  const there = told.map(({ userId, dedupeKey }) => keyOf(userId.toHexString(), dedupeKey));
  const known = new Set(there);
  const wanted = causes.map(({ postId, key }) => keyOf(authors.get(postId) ?? '', key));
  const wantedKeys = new Set(wanted);
  const social = told.filter(({ type }) => type === 'REACTION' || type === 'COMMENT');
  return {
    what: 'notifications by cause',
    found: `${wanted.length} reactions and comments of others, ${social.length} notifications of them`,
    wrong: [
      ...wanted.filter((key) => !known.has(key)).map((key) => `nobody told ${key}`),
      ...doubled(there).map((key) => `${key} was told twice`),
      ...social
        .map(({ userId, dedupeKey }) => keyOf(userId.toHexString(), dedupeKey))
        .filter((key) => !wantedKeys.has(key))
        .map((key) => `${key} was told without a cause`),
    ],
  };
}

function endedOf(told: Notification[]): Finding {
  const counts: Record<string, number> = {};
  const wrong: string[] = [];
  for (const { _id, channels } of told) {
    for (const channel of OUTSIDE) {
      const delivery = channels[channel];
      if (!delivery) continue;
      const { status, reason, error } = delivery;
      const isWaiting = status === 'pending' && WAITING.includes(reason);
      const name = `${channel} ${isWaiting ? 'waiting' : status}`;
      counts[name] = (counts[name] ?? 0) + 1;
      if (!isWaiting && !ENDED.includes(status)) wrong.push(`${_id.toHexString()} is ${status} on ${channel}`);
      if (status === 'dead' && error === undefined)
        wrong.push(`${_id.toHexString()} is dead on ${channel}, of nothing`);
    }
  }
  const found = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return { what: 'deliveries', found: found.join(', '), wrong };
}

/** Whoever is said to have been sent something was; twice only as the same thing, which a person is shown once. */
function handed(told: Notification[], handedOver: HandedOver): Finding {
  let again = 0;
  const wrong = Object.entries(handedOver).flatMap(([channel, ids = []]) => {
    const sent = told.filter(({ channels }) => channels[channel]?.status === 'sent');
    const received = new Set(ids);
    again += ids.length - received.size;
    return sent
      .filter(({ _id }) => !received.has(_id.toHexString()))
      .map(({ _id }) => `${_id.toHexString()} is said to be sent on ${channel}, and never was`);
  });
  const count = sum(Object.values(handedOver).map((ids = []) => ids.length));
  return {
    what: 'handed to providers',
    found: `${count}, ${again} of them a second time under the same id`,
    wrong,
  };
}
