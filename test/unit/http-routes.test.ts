import { expect } from 'chai';
import request from 'supertest';
import { anyone, roles, route } from '../../src/core/http/route.js';
import { appOf, bodyOf } from './http-app.js';
import { app, as, createPost, ID, listPosts, readPost } from './http-example.js';

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
    const bad = await request(app).get(`/api/v1/posts/${ID}`).set(as('bad')).expect(401);
    expect(bad.body).to.include({ code: 'TOKEN_INVALID' });
    // What is open to anyone is so to them as well.
    const open = await request(app).get('/api/v1/posts').set(as('bad')).expect(200);
    expect(open.body).to.include({ user: null });
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
