import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import { Api, type Person } from '../../test/support/api.js';
import { converse, sociable } from '../../test/support/chat.js';
import { Random } from '../random.js';
import { type Plan, type PersonPlan } from './plan.js';

export interface SceneOptions {
  urls: readonly string[];
  people: number;
  seed: number;
}

const AT_ONCE = 8;
/** Members of a group conversation. */
const GROUP = 6;

/**
 * Registers people who know each other: each with a phone and a post, in a conversation with the next one and in a group
 * with a few.
 */
export async function prepareScene({ urls, people: count, seed }: SceneOptions): Promise<Plan> {
  const limit = pLimit(AT_ONCE);
  const random = new Random(seed);
  const nodes = urls.map((url) => new Api(url));
  const people = await Promise.all(Array.from({ length: count }, () => limit(() => arrive(random.pick(nodes)))));
  const posts = await Promise.all(
    people.map((person) => limit(async () => ({ id: await person.publish(), authorId: person.id }))),
  );
  const conversations = new Map<string, string[]>(people.map(({ id }) => [id, []]));
  const open = async (members: Person[], title?: string): Promise<void> => {
    const [first, ...others] = members;
    if (!first || others.length === 0) return;
    const id = await converse(first, others, title);
    for (const member of members) conversations.get(member.id)?.push(id);
  };
  const pairs = people.map((person, index) => [person, people[(index + 1) % count]].filter(isThere));
  await Promise.all(pairs.slice(0, count > 2 ? count : 1).map((pair) => limit(() => open(pair))));
  for (let at = 0; at + 1 < count; at += GROUP) await open(people.slice(at, at + GROUP), `Group ${at / GROUP + 1}`);
  return {
    posts,
    people: people.map(({ id, email, password }): PersonPlan => ({
      id,
      email,
      password,
      conversationIds: conversations.get(id) ?? [],
    })),
  };
}

async function arrive(node: Api): Promise<Person> {
  const person = await sociable(await node.register());
  const token = randomBytes(12).toString('hex');
  const { status } = await person.post('/push/register', { token, platform: 'ANDROID' });
  if (status >= 300) throw new Error(`a phone was refused: ${status}`);
  return person;
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}
