import { expect } from 'chai';
import { anyone, type Actor, route, signedIn } from '../../src/core/http/route.js';
import { type Infer, instant, nullable, shape, text, whole } from '../../src/core/http/schema.js';

// What the compiler must and must not accept; `tsc` checks it, running only shows that declaring has no effects.
const item = shape({ count: whole(), at: instant() }, { note: nullable(text()) });
const common = {
  method: 'get',
  path: '/x',
  tag: 'x',
  summary: 'x',
  access: anyone,
  answer: { status: 200, body: item },
} as const;

describe('http types', () => {
  it('tell required from optional keys', () => {
    const value: Infer<typeof item> = { count: 1, at: new Date() };
    // @ts-expect-error -- a required key is missing
    const missing: Infer<typeof item> = { count: 1 };
    // @ts-expect-error -- there is no such key
    const unknown: Infer<typeof item> = { count: 1, at: new Date(), other: 1 };
    expect([value, missing, unknown]).to.have.length(3);
  });

  it('flow from the schemas through load and handle to the presenter', () => {
    const declared = route({
      ...common,
      access: signedIn,
      params: shape({ id: text({ max: 9 }) }),
      path: '/x/:id',
      body: shape({}, { note: text({ max: 9 }) }),
      load: ({ params }) => Promise.resolve(params.id === '' ? null : { owner: params.id }),
      handle: ({ actor, body, resource, query }) => {
        const typed: { actor: Actor; note: string | undefined; owner: string; query: undefined } = {
          actor,
          note: body.note,
          owner: resource.owner,
          query,
        };
        return Promise.resolve(typed);
      },
      present: (result) => ({ count: result.owner.length, at: new Date().toISOString(), note: result.note }),
    });
    expect(declared.operationId).to.equal(undefined);
  });

  it('leave the actor of an open route in doubt', () => {
    route({
      ...common,
      // @ts-expect-error -- nobody may be signed in
      handle: ({ actor }) => Promise.resolve(actor.id),
      present: () => ({ count: 1, at: new Date() }),
    });
    // @ts-expect-error -- the result does not fit the answer
    route({ ...common, handle: () => Promise.resolve({ count: '1', at: new Date() }) });
    // @ts-expect-error -- neither does what is presented
    route({ ...common, handle: () => Promise.resolve('x'), present: (count) => ({ count, at: new Date() }) });
  });
});
