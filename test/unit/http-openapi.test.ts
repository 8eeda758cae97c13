import { Script } from 'node:vm';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';
import express from 'express';
import helmet from 'helmet';
import request from 'supertest';
import { docsRouter } from '../../src/core/http/docs.js';
import { openApiDocument } from '../../src/core/http/openapi.js';
import { pageOf, pageQuery } from '../../src/core/http/paging.js';
import { anyone, roles, type Route, route, signedIn } from '../../src/core/http/route.js';
import {
  anyOf,
  anything,
  described,
  email,
  exactly,
  flag,
  instant,
  list,
  named,
  nullable,
  objectId,
  oneOf,
  record,
  shape,
  text,
  whole,
} from '../../src/core/http/schema.js';

const user = named('User', shape({ id: objectId(), name: text() }));
const media = anyOf([shape({ kind: exactly('image'), width: whole() }), shape({ kind: exactly('none') })]);
const post = named(
  'Post',
  shape(
    {
      id: objectId(),
      author: user,
      sharedBy: nullable(user),
      createdAt: instant(),
      editedAt: nullable(instant()),
      counts: record(['like', 'love'], whole({ min: 0 })),
      tags: list(text({ max: 20 }), { max: 5, unique: true }),
      mood: nullable(oneOf(['good', 'bad'])),
      media,
      extra: anything(),
      open: flag(),
      note: nullable(text({ max: 3 })),
    },
    { email: described(email(), 'Only to oneself') },
  ),
);

const routes: Route[] = [
  route({
    method: 'get',
    path: '/posts',
    tag: 'posts',
    summary: 'Lists posts',
    access: anyone,
    query: shape({ ...pageQuery, kind: oneOf(['a', 'b']) }),
    answer: { status: 200, body: pageOf(post) },
    handle: () => Promise.resolve({ data: [], nextCursor: null }),
  }),
  route({
    method: 'post',
    path: '/posts/:postId/replies/:replyId',
    tag: 'posts',
    summary: 'Replies',
    access: signedIn,
    idempotent: true,
    params: shape({ replyId: objectId(), postId: objectId() }),
    body: named('NewReply', shape({ content: text({ max: 500 }) }, { to: user })),
    limits: [{ name: 'replies', points: 10, seconds: 60 }],
    load: () => Promise.resolve({}),
    missing: 'POST_NOT_FOUND',
    problems: ['THREAD_CLOSED'],
    answer: { status: 201, body: user, description: 'The reply' },
    handle: () => Promise.resolve({ id: '', name: '' }),
  }),
  route({
    method: 'delete',
    path: '/admin/users/:userId',
    tag: 'admin',
    summary: 'Removes',
    access: roles('admin'),
    params: shape({ userId: objectId() }),
    deprecated: { since: new Date('2026-01-01'), sunset: new Date('2027-01-01') },
    answer: { status: 204 },
    handle: () => Promise.resolve(),
  }),
  route({
    method: 'put',
    path: '/users/me/photo',
    tag: 'users',
    summary: 'Sets the photo',
    access: signedIn,
    upload: ['image/png', 'multipart/form-data'],
    uploadFields: shape({ title: text({ max: 20 }) }, { note: text({ max: 50 }) }),
    answer: { status: 204 },
    handle: () => Promise.resolve(),
  }),
  route({
    method: 'get',
    path: '/calendar',
    tag: 'users',
    summary: 'As a calendar',
    access: anyone,
    answer: { status: 200, contentType: 'text/calendar' },
    handle: () => Promise.resolve(''),
  }),
];

const options = { title: 'Test & <co>', version: '1.2.3', serverUrl: '/api/v1' };
const document = openApiDocument({ routes, ...options });
const schemas = document.components['schemas']!;

describe('http OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
    expect(errors).to.equal(undefined);
    expect(valid).to.equal(true);
  });

  it('has every route, with its parameters in the order of the path', () => {
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    );
    expect(operations).to.have.members([
      'get /posts',
      'post /posts/{postId}/replies/{replyId}',
      'delete /admin/users/{userId}',
      'put /users/me/photo',
      'get /calendar',
    ]);
    const reply = document.paths['/posts/{postId}/replies/{replyId}']!['post']!;
    expect(reply['operationId']).to.equal('postPostsByPostIdRepliesByReplyId');
    expect((reply['parameters'] as { name?: string }[]).map(({ name }) => name)).to.deep.equal([
      'postId',
      'replyId',
      undefined,
    ]);
    expect(Object.keys(reply['responses'] as object)).to.have.members([
      '201',
      '400',
      '401',
      '404',
      '409',
      '413',
      '415',
      '429',
      '4XX',
      'default',
    ]);
    expect(JSON.stringify(reply['responses'])).to.include('POST_NOT_FOUND').and.include('THREAD_CLOSED');
    const remove = document.paths['/admin/users/{userId}']!['delete']!;
    expect(remove).to.deep.include({ deprecated: true, 'x-roles': ['admin'], security: [{ bearer: [] }] });
  });

  it('says what stands in a form beside its file', () => {
    const body = document.paths['/users/me/photo']!['put']!['requestBody'] as { content: Record<string, unknown> };
    expect(body.content['multipart/form-data']).to.deep.equal({
      schema: {
        type: 'object',
        properties: {
          file: { type: 'string', contentMediaType: 'application/octet-stream' },
          title: { type: 'string', minLength: 1, maxLength: 20 },
          note: { type: 'string', minLength: 1, maxLength: 50 },
        },
        required: ['file', 'title'],
      },
    });
  });

  it('lists named schemas once and refers to them', () => {
    expect(schemas).to.have.all.keys('User', 'Post', 'NewReply', 'Problem');
    const properties = schemas['Post']!['properties'] as Record<string, unknown>;
    expect(properties['author']).to.deep.equal({ $ref: '#/components/schemas/User' });
    expect(properties['sharedBy']).to.deep.equal({ anyOf: [{ $ref: '#/components/schemas/User' }, { type: 'null' }] });
    expect(schemas['User']).to.deep.include({ required: ['id', 'name'], additionalProperties: false });
  });

  it('says in JSON Schema what the schemas check', () => {
    const properties = schemas['Post']!['properties'] as Record<string, unknown>;
    expect(properties['createdAt']).to.deep.equal({ type: 'string', format: 'date-time' });
    expect(properties['editedAt']).to.deep.equal({ type: ['string', 'null'], format: 'date-time' });
    expect(properties['mood']).to.deep.equal({ type: ['string', 'null'], enum: ['good', 'bad', null] });
    expect(properties['note']).to.deep.equal({ type: ['string', 'null'], minLength: 1, maxLength: 3 });
    expect(properties['tags']).to.deep.include({
      type: 'array',
      maxItems: 5,
      uniqueItems: true,
      items: { type: 'string', minLength: 1, maxLength: 20 },
    });
    expect(properties['counts']).to.deep.equal({
      type: 'object',
      propertyNames: { type: 'string', enum: ['like', 'love'] },
      additionalProperties: { type: 'integer', minimum: 0 },
    });
    expect(properties['email']).to.deep.include({ type: 'string', format: 'email', description: 'Only to oneself' });
    expect(properties['id']).to.deep.include({ type: 'string', pattern: '^[0-9a-fA-F]{24}$' });
    expect((properties['media'] as { anyOf: unknown[] }).anyOf).to.have.length(2);
  });

  it('refuses one name for two things', () => {
    expect(() => openApiDocument({ ...options, routes: [routes[0]!, routes[0]!] })).to.throw(
      'Two operations are called getPosts',
    );
    const impostor = { ...routes[4]!, answer: { status: 200, body: named('User', shape({ x: whole() })) } } as Route;
    expect(() => openApiDocument({ ...options, routes: [...routes.slice(0, 4), impostor] })).to.throw(
      'Two different schemas are named User',
    );
  });
});

describe('http docs', () => {
  const app = express().use(helmet(), docsRouter({ openApi: () => document }));

  it('serve the document', async () => {
    const { body } = (await request(app).get('/openapi.json').expect(200)) as { body: unknown };
    expect(body).to.deep.equal(JSON.parse(JSON.stringify(document)));
  });

  it('show it on a page that loads nothing from elsewhere', async () => {
    const { text: html, headers } = await request(app).get('/docs').expect(200).expect('Content-Type', /html/);
    expect(headers['content-security-policy']).to.include("default-src 'none'");
    expect(html).to.include('Test &amp; &lt;co&gt;');
    const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!);
    expect(sources).to.include('docs/swagger-ui-bundle.js');
    for (const url of sources) await request(app).get(`/${url}`).expect(200);
    const { text: script } = await request(app)
      .get('/docs/start.js')
      .expect('Content-Type', /javascript/);
    expect(() => new Script(script)).not.to.throw();
  });
});
