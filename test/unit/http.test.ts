import { expect } from 'chai';
import request from 'supertest';
import { MongoNetworkError, MongoServerError } from 'mongodb';
import { HOUR } from '../../src/core/clock.js';
import { allow, deny, hide } from '../../src/core/http/policy.js';
import { conflict } from '../../src/core/http/problem.js';
import { anyone, roles, type Route, route, signedIn } from '../../src/core/http/route.js';
import {
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
  anything,
} from '../../src/core/http/schema.js';
import { appOf, bodyOf } from './http-app.js';

const ID = '0123456789abcdef01234567';
const post = named('Post', shape({ id: objectId(), content: text(), at: instant() }, { note: nullable(text()) }));

/** A route that does nothing but fail with `error`. */
function failing(error: unknown): Route {
  return route({
    method: 'get',
    path: '/fail',
    tag: 'test',
    summary: 'Fails',
    access: anyone,
    answer: { status: 204 },
    handle: () => Promise.reject(error as Error),
  });
}

const readPost = route({
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

const createPost = route({
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

const listPosts = route({
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

const bare = (method: 'post' | 'delete', path: string): Route =>
  route({
    method,
    path,
    tag: 'test',
    summary: 'Does it',
    access: signedIn,
    answer: { status: 204 },
    handle: () => Promise.resolve(),
  });

const app = appOf([readPost, createPost, listPosts, bare('post', '/posts/sync'), bare('delete', '/posts/sync')]);
const as = (user: string) => ({ Authorization: `Bearer ${user}` });
const send = (body: object | string) => request(app).post('/api/v1/posts').set(as('amal')).type('json').send(body);
const VALID = { content: 'hi', kind: 'text' };

describe('http routes', () => {
  it('answer what the presenter lists, with an ETag, and 304 to who has it', async () => {
    const first = await request(app).get(`/api/v1/posts/${ID.toUpperCase()}`).set(as('amal')).expect(200);
    expect(first.body).to.deep.equal({ id: ID, content: 'hello', at: '1970-01-01T00:00:00.000Z' });
    expect(first.headers['cache-control']).to.equal('private, no-cache');
    const etag = first.headers['etag']!;
    await request(app).get(`/api/v1/posts/${ID}`).set(as('amal')).set('If-None-Match', etag).expect(304, {});
    await request(app).get(`/api/v1/posts/${ID}`).set(as('amal')).set('If-None-Match', '"other"').expect(200);
    await request(app).head(`/api/v1/posts/${ID}`).set(as('amal')).expect(200);
  });

  it('answer problems as RFC 9457 documents with the id of the request', async () => {
    const answer = await request(app)
      .get(`/api/v1/posts/${'f'.repeat(24)}`)
      .set(as('amal'))
      .set('X-Request-Id', 'abc-123')
      .expect(404);
    expect(answer.headers['content-type']).to.match(/^application\/problem\+json/);
    expect(answer.headers['x-request-id']).to.equal('abc-123');
    expect(bodyOf(answer)).to.deep.equal({
      type: '/problems/post-not-found',
      title: 'Not Found',
      status: 404,
      code: 'POST_NOT_FOUND',
      detail: 'There is no such thing.',
      requestId: 'abc-123',
    });
  });

  it('give requests an id of their own where the given one is not sane', async () => {
    const { headers } = await request(app).get('/api/v1/posts').set('X-Request-Id', 'a b <script>').expect(200);
    expect(headers['x-request-id']).to.match(/^[0-9a-f-]{36}$/);
  });

  it('ask who it is before anything else, and hide what a policy hides exactly as if it were missing', async () => {
    await request(app).get(`/api/v1/posts/${ID}`).expect(401).expect('WWW-Authenticate', 'Bearer');
    const bad = await request(app).get('/api/v1/posts').set(as('bad')).expect(401);
    expect(bad.body).to.include({ code: 'TOKEN_INVALID' });
    await request(app).post('/api/v1/posts').type('json').send('{').expect(401);
    const denied = await request(app).get(`/api/v1/posts/${ID}`).set(as('omar')).expect(403);
    expect(denied.body).to.include({ code: 'NOT_OWNER', detail: 'It is not yours.' });
    const hidden = await request(app).get(`/api/v1/posts/${ID}`).set(as('enemy')).set('X-Request-Id', 'x').expect(404);
    const missing = await request(app)
      .get(`/api/v1/posts/${'e'.repeat(24)}`)
      .set(as('enemy'))
      .set('X-Request-Id', 'x')
      .expect(404);
    expect(hidden.body).to.deep.equal(missing.body);
  });

  it('open routes of a role to that role only', async () => {
    const admin = appOf([
      route({
        method: 'get',
        path: '/admin',
        tag: 'admin',
        summary: 'x',
        access: roles('admin'),
        answer: { status: 204 },
        handle: () => Promise.resolve(),
      }),
    ]);
    await request(admin).get('/api/v1/admin').expect(401);
    await request(admin).get('/api/v1/admin').set(as('amal')).expect(403);
    await request(admin).get('/api/v1/admin').set(as('amal.admin')).expect(204);
  });

  it('find fixed paths before parameters, and answer unknown paths and methods', async () => {
    await request(app).post('/api/v1/posts/sync').set(as('amal')).expect(204);
    const method = await request(app).put('/api/v1/posts').expect(405);
    expect(method.headers['allow']).to.equal('GET, HEAD, POST');
    expect(method.body).to.include({ code: 'METHOD_NOT_ALLOWED' });
    const path = await request(app).get('/api/v1/nothing').expect(404);
    expect(path.body).to.include({ code: 'ROUTE_NOT_FOUND' });
    await request(app).options('/api/v1/posts').expect(200);
  });

  it('refuse declarations that contradict themselves', () => {
    expect(() => appOf([readPost, readPost])).to.throw('declared twice');
    expect(() => appOf([{ ...readPost, path: '/posts/:other' }])).to.throw('does not fit its path');
    expect(() => appOf([{ ...createPost, upload: ['image/png'] }])).to.throw('no body schema');
  });

  it('announce deprecation', async () => {
    const old = appOf([
      { ...listPosts, deprecated: { since: new Date('2026-01-01'), sunset: new Date('2027-01-01') } },
    ]);
    const { headers } = await request(old).get('/api/v1/posts?x=1').expect(400);
    expect(headers['deprecation']).to.equal('@1767225600');
    expect(headers['sunset']).to.equal('Fri, 01 Jan 2027 00:00:00 GMT');
  });

  it('hold answers against their schema', async () => {
    const liar = {
      ...listPosts,
      handle: () => Promise.resolve({ limit: 1, q: null, tags: 1, user: null, passwordHash: 'x' }),
    };
    const body = bodyOf(
      await request(appOf([liar]))
        .get('/api/v1/posts')
        .expect(500),
    );
    expect(body).to.include({ code: 'ANSWER_MISMATCH' });
    expect(JSON.stringify(body)).not.to.include('passwordHash');
    await request(appOf([liar], { checkAnswers: false }))
      .get('/api/v1/posts')
      .expect(200);
  });

  it('send other content types as they are', async () => {
    const calendar = appOf([
      route({
        method: 'get',
        path: '/calendar',
        tag: 'x',
        summary: 'x',
        access: anyone,
        answer: { status: 200, contentType: 'text/calendar' },
        handle: () => Promise.resolve('BEGIN:VCALENDAR'),
      }),
    ]);
    const { text: sent, headers } = await request(calendar).get('/api/v1/calendar').expect(200);
    expect(headers['content-type']).to.equal('text/calendar; charset=utf-8');
    expect(sent).to.equal('BEGIN:VCALENDAR');
  });
});

describe('http input', () => {
  const errorsOf = (body: Record<string, unknown>): string[] =>
    (body['errors'] as { path: string }[]).map(({ path }) => path).sort();

  it('is normalised and handed on', async () => {
    const body = bodyOf(await send({ ...VALID, content: '  hi ', email: 'A@B.DE' }).expect(201));
    expect(body).to.deep.equal({ content: 'hi', email: 'a@b.de', actor: 'amal' });
  });

  it('is refused with every field that is wrong', async () => {
    const body = bodyOf(await send({ content: '', kind: 'x', age: '5', extra: 1 }).expect(400));
    expect(body).to.include({ code: 'VALIDATION_FAILED' });
    expect(errorsOf(body)).to.deep.equal(['body.age', 'body.content', 'body.extra', 'body.kind']);
  });

  for (const field of ['content', 'kind', 'age', 'email', 'at', 'to']) {
    it(`refuses operators and other types in ${field}`, async () => {
      for (const value of [{ $ne: null }, { $gt: '' }, [], ['a'], true, null, 1e400, { toString: 'x' }]) {
        const body = bodyOf(await send({ ...VALID, [field]: value }));
        expect(body, JSON.stringify(value)).to.include({ status: 400, code: 'VALIDATION_FAILED' });
      }
    });
  }

  it('refuses keys that pollute prototypes, however deep', async () => {
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      for (const body of [`{"${key}":{"x":1}}`, `{"content":"hi","kind":"text","meta":{"a":[{"${key}":1}]}}`]) {
        const answer = await send(body).expect(400);
        expect(answer.body).to.include({ code: 'FORBIDDEN_KEY' });
      }
    }
  });

  it('survives deep nesting and a million wrong items', async () => {
    const deep = `{"content":"hi","kind":"text","meta":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`;
    expect([201, 400]).to.include((await send(deep)).status);
    const wide = `{${Array.from({ length: 60_000 }, (_, index) => `"k${index}":1`).join()}}`;
    const body = bodyOf(await send(wide).expect(400));
    expect((body['errors'] as unknown[]).length).to.be.at.most(20);
  });

  it('refuses malformed, missing and primitive bodies', async () => {
    for (const body of ['{', '"text"', '5', 'null', '{"a":1}}', "{'a':1}"]) {
      expect((await send(body).expect(400)).body, body).to.include({ code: 'MALFORMED_JSON' });
    }
    const none = await request(app).post('/api/v1/posts').set(as('amal')).expect(400);
    expect(none.body).to.include({ code: 'BODY_REQUIRED' });
    expect((await send('[]').expect(400)).body).to.include({ code: 'VALIDATION_FAILED' });
  });

  it('refuses bodies over 1 MB, packed ones too', async () => {
    const body = bodyOf(await send({ content: 'x'.repeat(1_100_000), kind: 'text' }).expect(413));
    expect(body).to.include({ code: 'BODY_TOO_LARGE' });
    const { gzipSync } = await import('node:zlib');
    const packed = gzipSync(JSON.stringify({ content: 'x'.repeat(50_000_000) }));
    const bomb = request(app).post('/api/v1/posts').set(as('amal')).set('Content-Encoding', 'gzip').type('json');
    bomb.write(packed);
    expect((await bomb.expect(413)).body).to.include({ code: 'BODY_TOO_LARGE' });
  });

  it('refuses other content types, charsets and encodings', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
    ]) {
      const body = bodyOf(
        await request(app).post('/api/v1/posts').set(as('amal')).set('Content-Type', type).send('a=1').expect(415),
      );
      expect(body, type).to.include({ code: 'UNSUPPORTED_MEDIA_TYPE' });
    }
    const charset = await request(app)
      .post('/api/v1/posts')
      .set(as('amal'))
      .set('Content-Type', 'application/json; charset=latin1')
      .send('{}')
      .expect(415);
    expect(charset.body).to.include({ code: 'UNSUPPORTED_MEDIA_TYPE' });
    const encoding = await request(app)
      .post('/api/v1/posts')
      .set(as('amal'))
      .type('json')
      .set('Content-Encoding', 'snappy')
      .send('{}')
      .expect(415);
    expect(encoding.body).to.include({ code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  it('takes an empty object where no body is wanted, and refuses another', async () => {
    const sync = () => request(app).post('/api/v1/posts/sync').set(as('amal'));
    await sync().send({}).expect(204);
    await sync().type('form').expect(204);
    await sync().send({ a: 1 }).expect(400);
    await sync().type('text').send('hello').expect(415);
    await request(app).delete('/api/v1/posts/sync').set(as('amal')).send({ a: 1 }).expect(400);
  });

  it('converts queries, with defaults', async () => {
    expect((await request(app).get('/api/v1/posts?limit=5&tags=a&tags=b').expect(200)).body).to.deep.equal({
      limit: 5,
      q: null,
      tags: 2,
      user: null,
    });
    expect((await request(app).get('/api/v1/posts?tags=a').set(as('amal')).expect(200)).body).to.deep.equal({
      limit: 20,
      q: null,
      tags: 1,
      user: 'amal',
    });
  });

  for (const query of [
    'limit=1&limit=2',
    'limit[$gt]=1',
    'q[$ne]=',
    '$where=1',
    'limit=abc',
    'limit=0',
    'limit=101',
    'limit=1.5',
    'limit=',
    'q=%00',
    'q=a&q=b',
    'unknown=1',
    '__proto__=1',
    '__proto__[x]=1',
    'constructor=1',
  ]) {
    it(`refuses ?${query}`, async () => {
      const body = bodyOf(await request(app).get(`/api/v1/posts?${query}`).expect(400));
      expect(body).to.include({ code: 'VALIDATION_FAILED' });
    });
  }

  it('refuses ids that are none, and addresses that are none', async () => {
    for (const id of ['1', 'x'.repeat(24), `${ID}0`, '%7B%22$ne%22:null%7D']) {
      const body = bodyOf(await request(app).get(`/api/v1/posts/${id}`).set(as('amal')).expect(400));
      expect(errorsOf(body)).to.deep.equal(['params.postId']);
    }
    expect((await request(app).get('/api/v1/posts/%E0%A4%A').set(as('amal')).expect(400)).body).to.include({
      code: 'MALFORMED_URI',
    });
  });
});

describe('http errors', () => {
  const answerTo = async (error: unknown) => request(appOf([failing(error)])).get('/api/v1/fail');

  it('say nothing of what is our own fault', async () => {
    for (const error of [
      new Error('secret at /srv/db'),
      new TypeError('secret'),
      'secret',
      null,
      new MongoServerError({ message: 'secret', code: 2 }),
      Object.assign(new Error('secret'), { status: 404, type: 'x', expose: true }),
    ]) {
      const { status, text: sent } = await answerTo(error);
      expect(status).to.equal(500);
      expect(sent).to.include('INTERNAL_ERROR').and.not.include('secret');
    }
  });

  it('say that the database is away, and when to try again', async () => {
    const labelled = new MongoServerError({ message: 'secret', code: 112 });
    labelled.addErrorLabel('TransientTransactionError');
    const errors = [
      new MongoNetworkError('secret'),
      new MongoServerError({ message: 'secret', code: 10107 }),
      new MongoServerError({ message: 'x', code: 189 }),
      labelled,
      Object.assign(new Error('secret'), { name: 'MongooseServerSelectionError' }),
    ];
    for (const error of errors) {
      const answer = await answerTo(error);
      expect(answer.status).to.equal(503);
      expect(answer.headers['retry-after']).to.equal('5');
      expect(bodyOf(answer)).to.include({ code: 'DATABASE_UNAVAILABLE' });
      expect(answer.text).not.to.include('secret');
    }
  });

  it('pass problems on as they are, and Joi errors as 400', async () => {
    expect((await answerTo(conflict('EMAIL_TAKEN', 'Taken.'))).body).to.include({
      status: 409,
      code: 'EMAIL_TAKEN',
      title: 'Conflict',
    });
    const { error } = shape({ a: whole() }).validate({ a: 'x' });
    expect((await answerTo(error)).body).to.deep.include({ status: 400, code: 'VALIDATION_FAILED' });
  });

  it('cut the connection where the answer had begun', async () => {
    const half = route({
      method: 'get',
      path: '/half',
      tag: 'x',
      summary: 'x',
      access: anyone,
      answer: { status: 200, contentType: 'text/plain' },
      handle: ({ response }) => {
        response.write('half');
        return Promise.reject(new Error(`after ${HOUR} ms`));
      },
    });
    const outcome = await request(appOf([half]))
      .get('/api/v1/half')
      .then(
        () => 'whole',
        () => 'cut',
      );
    expect(outcome).to.equal('cut');
  });
});
