import request from 'supertest';
import { allow, deny, hide } from '../../src/core/http/policy.js';
import { anyone, signedIn, type Route, route } from '../../src/core/http/route.js';
import {
  anything,
  email,
  instant,
  listInQuery,
  named,
  nullable,
  objectId,
  oneOf,
  perhaps,
  record,
  shape,
  text,
  whole,
  withDefault,
} from '../../src/core/http/schema.js';
import { appOf } from './http-app.js';

export const ID = '0123456789abcdef01234567';
const post = named('Post', shape({ id: objectId(), content: text(), at: instant() }, { note: nullable(text()) }));

export const readPost = route({
  method: 'get',
  path: '/posts/:postId',
  tag: 'posts',
  summary: 'A post',
  access: signedIn,
  params: shape({ postId: objectId() }),
  load: ({ params }) => Promise.resolve(params.postId === ID ? { owner: 'amal' } : null),
  policy: (actor, resource) => {
    if (actor.id === 'enemy') return hide();
    return actor.id === resource.owner ? allow() : deny('NOT_OWNER', 'It is not yours.');
  },
  missing: 'POST_NOT_FOUND',
  answer: { status: 200, body: post },
  handle: ({ params }) => Promise.resolve({ id: params.postId }),
  present: ({ id }) => ({ id, content: 'hello', at: new Date(0), note: undefined }),
});

export const createPost = route({
  method: 'post',
  path: '/posts',
  tag: 'posts',
  summary: 'Writes a post',
  access: signedIn,
  body: shape(
    { content: text({ max: 10 }), kind: oneOf(['text', 'poll']) },
    { age: whole(), email: email(), meta: record(text({ max: 20 }), anything()), at: instant(), to: objectId() },
  ),
  answer: { status: 201, body: shape({ content: text(), email: perhaps(text()), actor: text() }) },
  handle: ({ actor, body }) => Promise.resolve({ content: body.content, email: body.email, actor: actor.id }),
});

export const listPosts = route({
  method: 'get',
  path: '/posts',
  tag: 'posts',
  summary: 'Posts',
  access: anyone,
  query: shape({
    limit: withDefault(whole({ min: 1, max: 100 }), 20),
    q: perhaps(text({ max: 20 })),
    tags: perhaps(listInQuery(text({ max: 5 }), { max: 3 })),
  }),
  answer: { status: 200, body: shape({ limit: whole(), q: nullable(text()), tags: whole(), user: nullable(text()) }) },
  handle: ({ query, actor }) =>
    Promise.resolve({ limit: query.limit, q: query.q ?? null, tags: query.tags?.length ?? 0, user: actor?.id ?? null }),
});

export const bare = (method: 'post' | 'delete', path: string): Route =>
  route({
    method,
    path,
    tag: 'test',
    summary: 'Does it',
    access: signedIn,
    answer: { status: 204 },
    handle: () => Promise.resolve(),
  });

export const app = appOf([readPost, createPost, listPosts, bare('post', '/posts/sync'), bare('delete', '/posts/sync')]);
export const as = (user: string) => ({ Authorization: `Bearer ${user}` });
export const send = (body: object | string) =>
  request(app).post('/api/v1/posts').set(as('amal')).type('json').send(body);
export const VALID = { content: 'hi', kind: 'text' };
