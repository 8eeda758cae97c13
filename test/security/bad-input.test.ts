import { expect } from 'chai';
import { type Person } from '../support/api.js';
import { type Api, Campus, WITHOUT_MAIL } from '../support/campus.js';
import { converse, say } from '../support/chat.js';
import {
  fieldsOf,
  type JsonSchema,
  type Operation,
  operationsOf,
  pathOf,
  queryOf,
  sample,
  withAt,
} from './api-document.js';
import { expectProblem } from './problem.js';

/** What the machinery writes by itself while nothing happens. */
const MACHINERY = new Set(['events', 'rateLimits', 'socketAdapter', 'consumers', 'nodes']);

describe('Bad input, on every route of the document', function () {
  // Hundreds of requests for each of these.
  this.timeout(60_000);

  let campus: Campus;
  let api: Api;
  let admin: Person;
  let operations: Operation[];
  let withBody: (Operation & { body: JsonSchema })[];
  let ids: Record<string, string>;
  let state: string;

  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode({ env: { ROLE: 'api' } });
    admin = await api.admin();
    operations = await operationsOf(api);
    withBody = operations.filter((one): one is Operation & { body: JsonSchema } => one.body !== undefined);
    const postId = await admin.publish();
    const { body: comment } = await admin.post(`/posts/${postId}/comments`, { content: 'Hello' });
    const id = await converse(admin, [await api.register()], 'Bad input');
    const { id: messageId } = await say(admin, id, 'Hello');
    ids = { postId, commentId: comment.id, userId: admin.id, id, messageId };
  });
  beforeEach(async () => {
    state = await everything();
  });
  afterEach('nothing has changed, and the node is well', async () => {
    expect(await everything()).to.equal(state);
    expect((await admin.get('/users/me')).status).to.equal(200);
    expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined);
  });
  after(() => campus.close());

  /** A hash of all that is kept. */
  async function everything(): Promise<string> {
    const names = (await campus.db.listCollections().toArray()).map(({ name }) => name);
    const kept = names.filter((name) => !MACHINERY.has(name) && !name.startsWith('system.'));
    expect(kept).to.include.members(['users', 'credentials', 'sessions', 'posts', 'comments', 'idempotencyKeys']);
    const { collections } = await campus.db.command({ dbHash: 1, collections: kept });
    const events = await campus.db.collection('events').countDocuments({ type: { $ne: 'system.heartbeat' } });
    return JSON.stringify({ collections, events });
  }

  /** Tries all of them at once; what is tried on one goes one after the other. */
  async function each<T>(all: T[], work: (one: T) => Promise<void>): Promise<void> {
    await Promise.all(all.map(work));
  }

  const nameOf = ({ method, path }: Operation): string => `${method} ${path}`;
  /** Sends it as the admin; limits, which count refused requests too, are not what is tested here. */
  async function send(operation: Operation, body: unknown, headers: Record<string, string> = {}) {
    if (operation.limited) await campus.db.collection('rateLimits').deleteMany({});
    return api.request(operation.method, pathOf(operation, ids), body, { token: admin.token, headers });
  }

  it('finds routes to try', () => {
    expect(operations.length).to.be.at.least(30);
    expect(withBody.length).to.be.at.least(10);
  });

  it('query operators are refused in every field of every body', async () => {
    const operators = [{ $ne: null }, { $gt: '' }, { $where: 'sleep(1000) || true' }, [{ $ne: null }]];
    const tried = new Set<unknown>();
    await each(withBody, async (operation) => {
      for (const { path } of fieldsOf(operation.body)) {
        // What refuses one in a field refuses the others there: each field has the next one.
        const operator = operators[tried.size % operators.length];
        const what = `${nameOf(operation)} ${path.join('.')} = ${JSON.stringify(operator)}`;
        tried.add(what);
        const answer = await send(operation, withAt(sample(operation.body), path, operator));
        expect(expectProblem(answer, 400, what), what).to.equal('VALIDATION_FAILED');
        const told = (answer.body.errors as { path: string }[]).map((error) => error.path);
        const place = operation.body.isChoice ? 'body' : `body.${String(path[0])}`;
        const named = told.some((one) => one.startsWith(place));
        expect(named, `${what}: ${told.join(', ')}`).to.equal(true);
      }
    });
  });

  it('values of another type are refused in every field of every body', async () => {
    const others: Record<string, unknown> = {
      string: 7,
      integer: '5',
      number: '5',
      boolean: 'true',
      array: {},
      object: 'x',
    };
    await each(withBody, async (operation) => {
      for (const { path, schema } of fieldsOf(operation.body)) {
        const type = Array.isArray(schema.type) ? schema.type[0]! : schema.type!;
        const answer = await send(operation, withAt(sample(operation.body), path, others[type]));
        expectProblem(answer, 400, `${nameOf(operation)} ${path.join('.')}: no ${type}`);
      }
    });
  });

  it('unknown fields, operators at the top and keys of the prototype are refused in every body', async () => {
    await each(withBody, async (operation) => {
      const valid = JSON.stringify(sample(operation.body)).slice(1);
      const extras: [string, string][] = [
        ['"unknown":1', 'VALIDATION_FAILED'],
        ['"_id":"ffffffffffffffffffffffff"', 'VALIDATION_FAILED'],
        ['"$set":{"role":"admin"}', 'VALIDATION_FAILED'],
        ['"__proto__":{"polluted":true}', 'FORBIDDEN_KEY'],
        ['"constructor":{"prototype":{"polluted":true}}', 'FORBIDDEN_KEY'],
      ];
      for (const [extra, code] of extras) {
        const answer = await send(operation, `{${extra},${valid}`);
        expect(expectProblem(answer, 400, `${nameOf(operation)} ${extra}`)).to.equal(code);
      }
    });
  });

  it('what is no JSON object is refused as every body', async () => {
    const bodies = ['{', '{"a":}', "{'a':1}", 'null', '[]', '"text"', '7', 'undefined', '{"a":1}}', '\u0000', ''];
    await each(withBody, async (operation) => {
      for (const body of bodies.filter((one) => one !== '' || !operation.bodyIsOptional)) {
        const answer = await send(operation, body);
        const code = expectProblem(answer, 400, `${nameOf(operation)} ${JSON.stringify(body)}`);
        expect(code).to.be.oneOf(['MALFORMED_JSON', 'VALIDATION_FAILED', 'BODY_REQUIRED']);
      }
    });
  });

  it('other content types are refused, and bodies of more than 1 MB', async () => {
    const types = ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'multipart/form-data', 'x'];
    await each(withBody, async (operation) => {
      const body = JSON.stringify(sample(operation.body));
      for (const type of types) {
        const answer = await send(operation, body, { 'content-type': type });
        expect(expectProblem(answer, 415, `${nameOf(operation)} ${type}`)).to.equal('UNSUPPORTED_MEDIA_TYPE');
      }
      const large = await send(operation, `{"a":"${'x'.repeat(1_100_000)}"}`);
      expect(expectProblem(large, 413, nameOf(operation))).to.equal('BODY_TOO_LARGE');
    });
  });

  it('bodies are refused where none is wanted', async () => {
    const without = operations.filter(({ body, upload, method }) => !body && !upload && method !== 'GET');
    expect(without).not.to.be.empty;
    for (const operation of without) {
      expectProblem(await send(operation, { $set: { role: 'admin' } }), 400, nameOf(operation));
      expectProblem(await send(operation, '{'), 400, nameOf(operation));
    }
  });

  it('ids that are none are refused in every path', async () => {
    const wrong = ['x', '123', 'f'.repeat(23), 'f'.repeat(25), 'g'.repeat(24), '%00', '__proto__', '%7B%22$ne%22:1%7D'];
    await each(operations, async (operation) => {
      for (const { name } of operation.parameters.filter((one) => one.in === 'path')) {
        const refused = async (id: string): Promise<void> => {
          const path = pathOf(operation, { ...ids, [name]: id });
          const body = operation.body && sample(operation.body);
          const answer = await api.request(operation.method, path, body, { token: admin.token });
          expect(expectProblem(answer, 400, `${operation.method} ${path}`)).to.equal('VALIDATION_FAILED');
        };
        await Promise.all(wrong.map(refused));
        const malformed = pathOf(operation, { ...ids, [name]: '%ZZ' });
        const answer = await api.request(operation.method, malformed, undefined, { token: admin.token });
        expect(expectProblem(answer, 400, malformed)).to.equal('MALFORMED_URI');
      }
    });
  });

  it('queries that do not fit, and cursors that were made up, are refused on every list', async () => {
    const gets = operations.filter(({ method }) => method === 'GET');
    await each(gets, async (operation) => {
      const parameters = operation.parameters.filter((one) => one.in === 'query');
      const names = parameters.map(({ name }) => name);
      const queries = ['unknown=1', '__proto__=1', '__proto__[polluted]=1', 'constructor=1', '$where=1'];
      for (const name of names) {
        queries.push(`${name}[$ne]=x`, `${name}[$gt]=`, `${name}=`, `${name}=1&${name}=2`);
      }
      // A text to search for may be any text.
      const isFree = ({ type, enum: values, pattern, format }: JsonSchema): boolean =>
        type === 'string' && !values && pattern === undefined && format === undefined;
      for (const { name } of parameters.filter(({ schema }) => !isFree(schema))) queries.push(`${name}={"$ne":null}`);
      if (names.includes('limit')) queries.push('limit=0', 'limit=101', 'limit=1.5', 'limit=1e9', 'limit=x');
      const lists = { ...ids, notificationId: 'f'.repeat(24) };
      for (const query of queries) {
        if (operation.limited) await campus.db.collection('rateLimits').deleteMany({});
        const answer = await admin.get(`${pathOf(operation, lists)}${queryOf(operation)}&${query}`);
        expectProblem(answer, 400, `${nameOf(operation)}?${query}`);
      }
      if (!names.includes('cursor')) return;
      for (const cursor of ['x', 'W10.x', 'x.y.z', '..', 'W3siJG9pZCI6IngifV0.AAAA', 'x'.repeat(3_000)]) {
        const answer = await admin.get(`${pathOf(operation, lists)}${queryOf(operation)}&cursor=${cursor}`);
        const code = expectProblem(answer, 400, `${nameOf(operation)}?cursor=${cursor}`);
        expect(code).to.equal(cursor.length > 2_048 ? 'VALIDATION_FAILED' : 'INVALID_CURSOR');
      }
    });
  });

  it('nobody gets in without a token, into an admin’s routes without being one, or by another method', async () => {
    for (const operation of operations) {
      const body = operation.body && sample(operation.body);
      if (!operation.signedIn) continue;
      const answer = await api.request(operation.method, pathOf(operation, ids), body);
      expect(expectProblem(answer, 401, nameOf(operation))).to.equal('UNAUTHORIZED');
    }
    const paths = new Set(operations.map((operation) => pathOf(operation, ids)));
    for (const path of paths) {
      const template = (one: Operation) => new RegExp(`^${one.path.replace(/\{\w+\}/g, '[^/]+')}$`);
      const known = operations.filter((one) => template(one).test(path)).map(({ method }) => method);
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((one) => !known.includes(one))) {
        const answer = await api.request(method, path, undefined, { token: admin.token });
        expect(expectProblem(answer, 405, `${method} ${path}`)).to.equal('METHOD_NOT_ALLOWED');
        expect(answer.headers.get('allow')!.split(', ')).to.satisfy((all: string[]) =>
          known.some((one) => all.includes(one)),
        );
      }
    }
  });

  it('idempotency keys of other characters or lengths are refused', async () => {
    for (const operation of operations.filter(({ idempotent }) => idempotent)) {
      const body = operation.body && sample(operation.body);
      for (const key of ['a b', 'x'.repeat(256), 'é']) {
        const answer = await send(operation, body, { 'Idempotency-Key': key });
        expect(expectProblem(answer, 400, nameOf(operation))).to.equal('INVALID_IDEMPOTENCY_KEY');
      }
    }
  });
});

describe('Routes of one role', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode({ env: { ROLE: 'api' } });
  });
  after(() => campus.close());

  it('are closed to everyone else', async () => {
    const person = await api.register();
    const restricted = (await operationsOf(api)).filter(({ roles }) => roles.length > 0);
    expect(restricted).not.to.be.empty;
    for (const operation of restricted) {
      const body = operation.body && sample(operation.body);
      const answer = await api.request(operation.method, pathOf(operation), body, { token: person.token });
      expect(expectProblem(answer, 403, operation.path)).to.equal('FORBIDDEN');
    }
  });
});
