import { setTimeout as pause } from 'node:timers/promises';
import { ObjectId } from 'mongodb';
import { type Person } from '../../test/support/api.js';
import { API, progress, publish, ROUNDS, SECONDS, WARM_UP_SECONDS } from './choices.js';
import { type Asked, asked, load, type Loaded } from './load.js';
import { Helper } from './processes.js';
import { compareLatencies, median, round } from './report.js';
import { type Stage } from './stage.js';

/** A request, and the same of the floor. */
interface Compared {
  measure: string;
  atrium: (index: number) => Asked;
  floor: (index: number) => Asked;
}

const PATIENCE_MS = 10_000;
const TYPES = ['LIKE', 'LOVE', 'CELEBRATE'];

/** Four requests that make up most of the traffic, beside the same queries by the driver in a plain HTTP server. */
export async function measureApi(stage: Stage): Promise<void> {
  progress(`api: registering ${API.people} people, with posts and notifications`);
  const people = await stage.register(API.people);
  const postIds = await settle(stage, people);
  const floor = await Helper.start('./floor-http.ts', { MONGODB_URI: stage.uri });
  const floorUrl = await floor.ask<string>({});
  for (const compared of requests(people, postIds)) {
    const run = (server: 'atrium' | 'floor', seconds: number): Promise<Loaded> => {
      let index = 0;
      const url = server === 'atrium' ? stage.server().url : floorUrl;
      return load(url, seconds, () => compared[server](index++));
    };
    progress(`api: ${compared.measure}`);
    await run('atrium', WARM_UP_SECONDS);
    await run('floor', WARM_UP_SECONDS);
    const rounds: Record<'atrium' | 'floor', Loaded>[] = [];
    for (let number = 1; number <= ROUNDS; number += 1) {
      rounds.push({ atrium: await run('atrium', SECONDS), floor: await run('floor', SECONDS) });
    }
    const { atrium, raw, ...figures } = compareLatencies(compared.measure, rounds, { mostMs: API.mostMs });
    const rate = (side: 'atrium' | 'floor') => round(median(rounds.map((each) => each[side].perSecond)));
    publish({
      ...figures,
      atrium: { ...atrium, perSecond: rate('atrium') },
      raw: { ...raw, perSecond: rate('floor') },
    });
  }
  await floor.stop();
}

/** Someone has published much, and everyone has many notifications; answers with the posts that are reacted to. */
async function settle(stage: Stage, people: Person[]): Promise<string[]> {
  const [author, other] = people;
  if (!author || !other) throw new Error('there is nobody');
  const postId = await author.publish('What does it take to be quick?');
  const postIds = await stage.writeLike('posts', { _id: new ObjectId(postId) }, API.posts, () => ({}));
  await other.post(`/posts/${postId}/react`, { type: 'LIKE' });
  const like = { userId: new ObjectId(author.id), type: 'REACTION' };
  const end = performance.now() + PATIENCE_MS;
  while (!(await stage.db.collection('notifications').findOne(like)) && performance.now() < end) await pause(50);
  await stage.writeLike('notifications', like, people.length * API.notifications, (index) => ({
    userId: new ObjectId(people[index % people.length]?.id),
    dedupeKey: `bench:${index}`,
    line: null,
  }));
  return postIds;
}

function requests(people: Person[], postIds: string[]): Compared[] {
  const [author] = people as [Person];
  const one = (index: number): Person => people[index % people.length] ?? author;
  const post = (index: number): string => postIds[index % postIds.length] ?? '';
  const type = (index: number): string => TYPES[Math.floor(index / people.length) % TYPES.length] ?? '';
  const plain = (method: string, path: string, body?: object): Asked => ({
    ...{ method, path },
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return [
    {
      measure: 'GET /users/:userId/posts, 20 of them',
      atrium: (index) => asked(one(index), 'GET', `/users/${author.id}/posts`),
      floor: () => plain('GET', `/posts/${author.id}`),
    },
    {
      measure: 'GET /notifications, 20 of them',
      atrium: (index) => asked(one(index), 'GET', '/notifications'),
      floor: (index) => plain('GET', `/notifications/${one(index).id}`),
    },
    {
      measure: 'POST /posts/:postId/react',
      atrium: (index) => asked(one(index), 'POST', `/posts/${post(index)}/react`, { type: type(index) }),
      floor: (index) => plain('POST', `/react/${post(index)}`, { userId: one(index).id, type: type(index) }),
    },
    {
      measure: 'POST /auth/login',
      atrium: (index) => {
        const { email, password } = one(index);
        return plain('POST', '/api/v1/auth/login', { email, password });
      },
      floor: (index) => {
        const { email, password } = one(index);
        return plain('POST', '/login', { email, password });
      },
    },
  ];
}
