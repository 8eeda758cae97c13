import { expect } from 'chai';
import request from 'supertest';
import { bodyOf } from './http-app.js';
import { app, as, ID, send, VALID } from './http-example.js';

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
