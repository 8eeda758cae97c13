import { expect } from 'chai';
import { Validator } from '@seriousme/openapi-schema-validator';
import request from 'supertest';
import { openApiDocument } from '../../src/core/http/openapi.js';
import { anyone, type Route, route } from '../../src/core/http/route.js';
import { open, perhaps, shape, text } from '../../src/core/http/schema.js';
import { appOf, bodyOf } from './http-app.js';

const ELSEWHERE = 'https://elsewhere.test/a?b=c#d=e';

const redirect = route({
  method: 'get',
  path: '/go',
  tag: 'test',
  summary: 'Sends on',
  access: anyone,
  query: open(shape({}, { word: text({ max: 5 }) })),
  answer: { status: 302 },
  handle: ({ response }) => {
    response.append('Set-Cookie', 'one=1');
    response.append('Set-Cookie', 'two=2');
    return Promise.resolve(ELSEWHERE);
  },
});

const form = route({
  method: 'post',
  path: '/form',
  tag: 'test',
  summary: 'Takes a form',
  access: anyone,
  form: true,
  body: open(shape({ word: text({ max: 5 }) }, { other: text({ max: 5 }) })),
  answer: { status: 200, body: shape({ word: text() }) },
  handle: ({ body }) => Promise.resolve({ word: body.word }),
});

const routes = [redirect, form];
const app = appOf(routes);

describe('http redirects', () => {
  it('send the client on, with cookies and no content, and are kept by nobody', async () => {
    const answer = await request(app).get('/api/v1/go').redirects(0).expect(302, {});
    expect(answer.headers['location']).to.equal(ELSEWHERE);
    expect(answer.headers['cache-control']).to.equal('no-store');
    expect(answer.headers['set-cookie']).to.deep.equal(['one=1', 'two=2']);
    expect(answer.headers).not.to.have.property('etag');
  });

  it('are documented with the header that says where to', async () => {
    const document = openApiDocument({ routes, title: 'Test', version: '1', serverUrl: '/api/v1' });
    const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
    expect({ valid, errors }).to.deep.equal({ valid: true, errors: undefined });
    const { responses } = document.paths['/go']!['get'] as { responses: Record<string, { headers: object }> };
    expect(responses['302']!.headers).to.include.keys('Location', 'X-Request-Id').and.not.include.keys('ETag');
    expect(responses['302']).not.to.have.property('content');
    expect(document.components['headers']).to.have.property('Location');
  });

  it('have no body, and no Idempotency-Key', () => {
    const withBody = { ...redirect, answer: { status: 302, body: shape({}) } } as Route;
    expect(() => appOf([withBody])).to.throw('a 302 has no body');
    expect(() => appOf([{ ...redirect, method: 'post', idempotent: true }])).to.throw('only JSON can be kept');
  });
});

describe('http forms', () => {
  const send = (body: string, type = 'application/x-www-form-urlencoded') =>
    request(app).post('/api/v1/form').set('content-type', type).send(body);

  it('are read by their schema, as any body is', async () => {
    await send('word=%D9%85%D9%8E').expect(200, { word: 'مَ' });
    const wrong = bodyOf(await send('word=toolong&other=').expect(400));
    expect((wrong['errors'] as { path: string }[]).map(({ path }) => path)).to.have.members([
      'body.word',
      'body.other',
    ]);
    expect(bodyOf(await send('word=a&word=b').expect(400))).to.include({ code: 'VALIDATION_FAILED' });
    expect(bodyOf(await send('').expect(400))).to.include({ code: 'BODY_REQUIRED' });
    expect(bodyOf(await send(`word=${'x'.repeat(1_100_000)}`).expect(413))).to.include({ code: 'BODY_TOO_LARGE' });
    const many = Array.from({ length: 200 }, (_, at) => `a${at}=1`).join('&');
    expect(bodyOf(await send(many).expect(413))).to.include({ code: 'BODY_TOO_LARGE' });
    expect((await send('word[$ne]=a')).status).to.equal(400);
    expect((await send('word[a][b]=a')).status).to.equal(400);
  });

  it('are the one content type of their route', async () => {
    expect(bodyOf(await send('{"word":"a"}', 'application/json').expect(415))).to.include({
      code: 'UNSUPPORTED_MEDIA_TYPE',
    });
    const document = openApiDocument({ routes, title: 'Test', version: '1', serverUrl: '/api/v1' });
    const { requestBody } = document.paths['/form']!['post'] as { requestBody: { content: object } };
    expect(requestBody.content).to.have.all.keys('application/x-www-form-urlencoded');
  });

  it('may be left out where their schema says so', async () => {
    const optional = appOf([
      route({
        method: 'post',
        path: '/form',
        tag: 'test',
        summary: 'Takes a form, or none',
        access: anyone,
        form: true,
        body: perhaps(shape({ word: text({ max: 5 }) })),
        answer: { status: 200, body: shape({ word: text() }) },
        handle: ({ body }) => Promise.resolve({ word: body?.word ?? 'none' }),
      }),
    ]);
    await request(optional).post('/api/v1/form').expect(200, { word: 'none' });
  });

  it('may hold what their schema does not name, where it is open', async () => {
    await send('word=a&more=b').expect(200, { word: 'a' });
    await request(app).get('/api/v1/go?more=b').redirects(0).expect(302);
    await request(app).get('/api/v1/go?word=toolong').expect(400);
  });
});
