import { type PersonLedger } from '../ledger.js';
import { type Plan } from '../plan.js';
import { doubled, type Finding, sum } from './finding.js';
import { type Reader } from './reader.js';

interface Post {
  id: string;
  content: string;
  reactionCounts: Record<string, number>;
  commentCount: number;
}

interface Comment {
  id: string;
  content: string;
}

interface Reaction {
  user: { id: string };
}

interface Found extends Post {
  reactedBy: string[];
  comments: Comment[];
}

/** Holds what people have published, commented on and reacted to against the posts as the server has them. */
export async function verifyPosts(
  people: readonly PersonLedger[],
  posts: Plan['posts'],
  readerOf: (person: PersonLedger) => Reader,
): Promise<Finding[]> {
  const found: Found[] = [];
  for (const person of people) {
    const reader = readerOf(person);
    const own = await reader.all<Post>(`/users/${person.id}/posts`);
    for (const post of own) {
      const reactions = await reader.all<Reaction>(`/posts/${post.id}/reactions`);
      const comments = await reader.all<Comment>(`/posts/${post.id}/comments`);
      found.push({ ...post, comments, reactedBy: reactions.map(({ user }) => user.id) });
    }
  }
  return [published(people, posts, found), commented(people, found), reacted(people, found), counted(found)];
}

function published(people: readonly PersonLedger[], posts: Plan['posts'], found: Found[]): Finding {
  const done = people.flatMap((person) => person.posts.filter(({ fate }) => fate === 'done'));
  const expected = [...posts.map(({ id }) => id), ...done.map(({ id = '' }) => id)];
  const there = new Set(found.map(({ id }) => id));
  const marks = new Set(people.flatMap((person) => person.posts.map(({ mark }) => mark)));
  const twice = doubled(found.map(({ content }) => content).filter((content) => marks.has(content)));
  return {
    what: 'posts',
    found: `${found.length}`,
    wrong: [
      ...expected.filter((id) => !there.has(id)).map((id) => `post ${id} was acknowledged and is missing`),
      ...twice.map((mark) => `post ${mark} is there twice`),
    ],
  };
}

function commented(people: readonly PersonLedger[], found: Found[]): Finding {
  const contents = found.flatMap(({ comments }) => comments.map(({ content }) => content));
  const there = new Set(contents);
  const written = people.flatMap(({ comments }) => comments);
  const known = new Set(written.map(({ mark }) => mark));
  const done = written.filter(({ fate }) => fate === 'done');
  return {
    what: 'comments',
    found: `${contents.length}, ${done.length} acknowledged`,
    wrong: [
      ...done.filter(({ mark }) => !there.has(mark)).map(({ mark }) => `comment ${mark} is missing`),
      ...doubled(contents).map((mark) => `comment ${mark} is there twice`),
      ...contents.filter((mark) => !known.has(mark)).map((mark) => `comment ${mark} was never written`),
    ],
  };
}

function reacted(people: readonly PersonLedger[], found: Found[]): Finding {
  const there = found.flatMap(({ id, reactedBy }) => reactedBy.map((userId) => `${id} by ${userId}`));
  const given = people.flatMap(({ id: userId, reactions }) =>
    reactions.filter(({ fate }) => fate === 'done').map(({ postId }) => `${postId} by ${userId}`),
  );
  const known = new Set(there);
  return {
    what: 'reactions',
    found: `${there.length}, by ${given.length} acknowledged settings`,
    wrong: [
      ...[...new Set(given)].filter((key) => !known.has(key)).map((key) => `the reaction to ${key} is missing`),
      ...doubled(there).map((key) => `the reaction to ${key} is there twice`),
    ],
  };
}

function counted(found: Found[]): Finding {
  return {
    what: 'counts on posts',
    found: `of ${found.length} posts`,
    wrong: found.flatMap(({ id, reactionCounts, reactedBy, commentCount, comments }) => {
      const reactions = sum(Object.values(reactionCounts));
      return [
        ...(reactions === reactedBy.length ? [] : [`${id} counts ${reactions} reactions and has ${reactedBy.length}`]),
        ...(commentCount === comments.length ? [] : [`${id} counts ${commentCount} comments, has ${comments.length}`]),
      ];
    }),
  };
}
