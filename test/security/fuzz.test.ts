import { expect } from 'chai';
import fc from 'fast-check';
import { type Person } from '../support/api.js';
import { type Api, Campus, WITHOUT_MAIL } from '../support/campus.js';
import { converse, say } from '../support/chat.js';
import { type JsonSchema, type Operation, operationsOf, pathOf, queryOf, sample } from './api-document.js';
import { expectProblem } from './problem.js';

const TIME_LIMIT_MS = 8_000;

/** Strings that have been trouble somewhere: separators, other scripts, halves of characters, names of properties. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', ' ', '\u0000', '\ud800', '__proto__', 'constructor', '$where', '{"$gt":""}', '../..', '٣', '🧪'),
  fc.constantFrom('-1', '0', '1e309', 'NaN', 'null', 'true', '9'.repeat(30), 'x'.repeat(5_000)),
);

/** What fits the schema, mostly: strings may still break a rule that JSON Schema cannot say. */
function fitting(schema: JsonSchema): fc.Arbitrary<unknown> {
  const { type, enum: values, items, properties = {}, required = [], minimum = 0, maximum = 1_000 } = schema;
  if (values) return fc.constantFrom(...values);
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object':
      return fc.record(Object.fromEntries(Object.entries(properties).map(([key, one]) => [key, fitting(one)])), {
        requiredKeys: required,
      });
    case 'array':
      return fc.array(fitting(items!), { minLength: schema.minItems ?? 0, maxLength: 4 });
    case 'integer':
      return fc.integer({ min: minimum, max: maximum });
    case 'number':
      return fc.double({ min: minimum, max: maximum, noNaN: true });
    case 'boolean':
      return fc.boolean();
  }
  if (schema.pattern !== undefined || schema.format !== undefined) return fc.constant(sample(schema));
  const { minLength = 0, maxLength = 200 } = schema;
  return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, minLength + 60) });
}

/** The same with some parts replaced by anything at all. */
function odd(schema: JsonSchema): fc.Arbitrary<unknown> {
  const anything = fc.oneof(nasty, fc.jsonValue({ maxDepth: 3 }));
  if (!schema.properties) return fc.oneof(fitting(schema), anything);
  const parts = Object.entries(schema.properties).map(([key, one]) => [key, fc.oneof(odd(one), fitting(one))] as const);
  return fc.oneof(
    fc
      .tuple(fc.record(Object.fromEntries(parts), { requiredKeys: [] }), fc.dictionary(nasty, anything, { maxKeys: 1 }))
      .map(([known, extra]) => ({ ...known, ...extra })),
    anything,
  );
}

interface Attempt {
  operation: Operation;
  path: string;
  body: unknown;
}

describe('Whatever is sent to any route', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
  });
  after(() => campus.close());

  it('is answered as documented or by a problem, and never by an error of the server', async () => {
    const [admin, user] = [await api.admin(), await api.register()];
    const postId = await user.publish();
    const { body: comment } = await user.post(`/posts/${postId}/comments`, { content: 'Hello' });
    const id = await converse(user, [admin]);
    const { id: messageId } = await say(user, id, 'Hello');
    const ids: Record<string, string> = { postId, userId: user.id, commentId: comment.id, id, messageId };
    const operations = await operationsOf(api);
    const reached = new Map<string, Set<number>>();

    function attempts(operation: Operation): fc.Arbitrary<Attempt> {
      const inPath = operation.parameters.filter((one) => one.in === 'path');
      const inQuery = operation.parameters.filter((one) => one.in === 'query');
      const known = (name: string): fc.Arbitrary<string> => fc.constant(ids[name] ?? 'f'.repeat(24));
      // Deleting what others are tried on would leave nothing but 404s.
      const idOf = (name: string) => (operation.method === 'DELETE' ? fc.constant('f'.repeat(24)) : known(name));
      const params = fc.record(
        Object.fromEntries(
          inPath.map(({ name }) => [
            name,
            fc.oneof({ weight: 4, arbitrary: idOf(name) }, { weight: 1, arbitrary: nasty }),
          ]),
        ),
      );
      const query = fc.record(
        Object.fromEntries(
          inQuery.map(({ name, schema }) => [
            name,
            fc.oneof(fitting(schema).map(String), nasty, fc.constant(undefined)),
          ]),
        ),
        { requiredKeys: [] },
      );
      const body = operation.body
        ? fc.oneof(fitting(operation.body), odd(operation.body))
        : fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.jsonValue() });
      return fc.record({ params, query, body }).map(({ params: values, query: asked, body: sent }) => {
        const filled = operation.path.replace(/\{(\w+)\}/g, (_braces, name: string) => escaped(values[name]!));
        const pairs = Object.entries(asked).filter(([, value]) => value !== undefined);
        const search = pairs.map(([name, value]) => `${name}=${escaped(String(value))}`).join('&');
        return {
          operation,
          path: search === '' ? filled : `${filled}?${search}`,
          body: operation.method === 'GET' ? undefined : sent,
        };
      });
    }

    // Chance need not come to what a route takes in time. What only reads comes first: the others may sign them out.
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const same = operations.filter((one) => one.method === method);
      const welcome = same.map((operation) => ({
        operation,
        path: `${pathOf(operation, method === 'DELETE' ? {} : ids)}${queryOf(operation)}`,
        body: operation.body && sample(operation.body),
      }));
      for (const person of [user, admin]) await Promise.all(welcome.map((one) => tryOut(one, person)));
    }
    const attempt = fc.oneof(...operations.map(attempts));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(attempt, fc.boolean()), { minLength: 20, maxLength: 40 }), async (batch) => {
        await Promise.all(batch.map(([one, asAdmin]) => tryOut(one, asAdmin ? admin : user)));
      }),
      { numRuns: 10_000, interruptAfterTimeLimit: TIME_LIMIT_MS, markInterruptAsFailure: false, endOnFailure: true },
    );

    expect([...reached.keys()], 'every route was tried').to.have.length(operations.length);
    const welcome = [...reached.values()].filter((statuses) => [...statuses].some((status) => status < 300));
    expect(welcome.length, 'routes that took something').to.be.above(operations.length / 3);

    async function tryOut({ operation, path, body }: Attempt, person: Person): Promise<void> {
      const { method, path: template } = operation;
      // Signing out would turn all that follows into 401s.
      const token = template.startsWith('/auth/logout') ? `${person.token}x` : person.token;
      const answer = await api.request(method, path, body === undefined ? undefined : JSON.stringify(body), { token });
      const name = `${method} ${template}`;
      reached.set(name, (reached.get(name) ?? new Set()).add(answer.status));
      const what = `${method} ${path} ${JSON.stringify(body)}`;
      if (answer.status >= 400) expectProblem(answer, [400, 401, 403, 404, 405, 409, 413, 415, 429], what);
      // The server holds its own answers against the document here and would have said 500.
      else expect(answer.status, what).to.be.oneOf([200, 201, 202, 204]);
    }
  }).timeout(40_000);
});

/** As a URL has it; what no URL can have stands as a question mark. */
function escaped(text: string): string {
  const encoded = encodeURIComponent(text.slice(0, 2_000).replace(/\p{Surrogate}/gu, '?'));
  return encoded === '' || encoded === '.' || encoded === '..' ? '%20' : encoded;
}
