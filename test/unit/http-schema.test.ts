import { expect } from 'chai';
import fc from 'fast-check';
import {
  decimal,
  email,
  exactly,
  flag,
  type Infer,
  instant,
  list,
  listInQuery,
  matching,
  nullable,
  objectId,
  oneOf,
  perhaps,
  record,
  type Schema,
  shape,
  text,
  whole,
  withDefault,
} from '../../src/core/http/schema.js';

const body = (schema: Schema, value: unknown): unknown => {
  const result = schema.validate(value, { convert: false, errors: { label: false } });
  if (result.error) throw result.error as Error;
  return result.value;
};
const query = (schema: Schema, value: unknown): unknown => {
  const result = schema.validate(value, { convert: true });
  if (result.error) throw result.error as Error;
  return result.value;
};
const refuses = (schema: Schema, ...values: unknown[]): void => {
  for (const value of values) expect(() => body(schema, value), JSON.stringify(value)).to.throw();
};

describe('http schemas', () => {
  it('refuse unknown and missing keys, and know required from optional', () => {
    const schema = shape({ a: whole(), b: withDefault(whole(), 7), c: perhaps(flag()) }, { d: flag() });
    const value: Infer<typeof schema> = { a: 1, b: 7, c: undefined };
    expect(body(schema, { a: 1 })).to.deep.equal({ a: 1, b: 7 });
    expect(value.d).to.equal(undefined);
    refuses(schema, {}, { a: 1, x: 1 }, { a: null }, [], 'a', null);
  });

  it('let one named schema stand under several keys', () => {
    const user = (
      shape({ id: objectId() }) as Schema<{ id: string }> & { id(name: string): Schema<{ id: string }> }
    ).id('User');
    const schema = shape({ author: user, sharer: user }, { other: user });
    const id = 'a'.repeat(24);
    expect(body(schema, { author: { id }, sharer: { id } })).to.deep.equal({ author: { id }, sharer: { id } });
  });

  it('normalise text in bodies too', () => {
    const name = text({ max: 5 });
    expect(body(name, '  e\u0301te ')).to.equal('\u00e9te');
    expect(body(text({ max: 9 }), 'a\r\nb\tc')).to.equal('a\nb\tc');
    expect(body(text({ max: 5, trim: false }), ' a ')).to.equal(' a ');
    expect(body(text({ min: 0, max: 5 }), '')).to.equal('');
    refuses(name, '', '   ', 5, true, null, ['a'], { $ne: null });
  });

  it('count characters, not UTF-16 units', () => {
    expect(body(text({ max: 2 }), '😀😀')).to.equal('😀😀');
    refuses(text({ max: 2 }), '😀😀😀', 'abc');
    refuses(text({ min: 2, max: 5 }), '😀');
  });

  it('refuse control characters, NUL and lone surrogates', () => {
    refuses(text({ max: 9 }), 'a\0b', 'a\u001bb', 'a\u007fb', 'a\u0085b', 'a\ud800', '\udc00a', 'a\rb');
    refuses(text({ max: 9, multiline: false }), 'a\nb', 'a\tb');
  });

  it('let through nothing but well-formed NFC text within its limits, whatever is given', () => {
    const schema = text({ min: 1, max: 20 });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (given) => {
        const { value, error } = schema.validate(given, { convert: false }) as { value: string; error?: Error };
        if (error) return;
        expect(value).to.equal(value.normalize('NFC').trim());
        expect(Array.from(value).length).to.be.within(1, 20);
        expect(encodeURIComponent(value)).to.be.a('string');
      }),
    );
  });

  it('coerce strings in queries only', () => {
    expect(query(whole(), '5')).to.equal(5);
    expect(query(flag(), 'true')).to.equal(true);
    refuses(whole(), '5', 1.5, Number.NaN, 2 ** 60);
    refuses(decimal(), '5', Infinity);
    refuses(flag(), 'true', 1, 0);
    refuses(instant(), 1_700_000_000_000, '1700000000000', 'tomorrow');
    expect(() => query(instant(), '1700000000000')).to.throw();
    expect(query(listInQuery(text({ max: 3 }), { max: 2 }), 'a')).to.deep.equal(['a']);
    expect(() => query(text({ max: 3 }), ['a', 'b'])).to.throw();
  });

  it('take ids, lowercased, and nothing that resembles one', () => {
    expect(body(objectId(), 'ABCDEF0123456789ABCDEF01')).to.equal('abcdef0123456789abcdef01');
    refuses(objectId(), 'twelve chars', 'g'.repeat(24), 'a'.repeat(23), 'a'.repeat(25), { $oid: 'a'.repeat(24) }, 5);
  });

  it('read instants with a zone only, and only real days', () => {
    expect(body(instant(), '2026-02-28T10:00:00+03:00')).to.deep.equal(new Date('2026-02-28T07:00:00Z'));
    expect(body(instant(), new Date(5))).to.deep.equal(new Date(5));
    refuses(
      instant(),
      '2026-02-30T10:00:00Z',
      '2026-02-28T10:00:00',
      '2026-02-28',
      '2026-13-01T00:00:00Z',
      '2026-02-28T24:00:00Z',
      {},
    );
  });

  it('lowercase e-mail addresses and take any top-level domain', () => {
    expect(body(email(), ' Amal@Uni.EXAMPLE ')).to.equal('amal@uni.example');
    refuses(email(), 'amal', 'a@b', 'a b@c.de', `${'a'.repeat(250)}@b.de`, { $gt: '' }, 'a@b.de\nBcc: c@d.ef');
  });

  it('limit lists and records', () => {
    refuses(list(whole(), { max: 2 }), [1, 2, 3], [null], ['1'], {}, '[1]');
    refuses(list(whole(), { min: 1, max: 2 }), []);
    refuses(list(whole(), { max: 3, unique: true }), [1, 1]);
    const counts = record(['like', 'love'], whole());
    const value: Infer<typeof counts> = { like: 1 };
    expect(body(counts, value)).to.deep.equal(value);
    refuses(counts, { hate: 1 }, { like: 'x' }, { like: null });
    refuses(record(text({ max: 2 }), whole(), { max: 1 }), { a: 1, b: 1 }, { abc: 1 });
  });

  it('take choices, nulls and patterns as declared', () => {
    const kind = oneOf(['a', 'b']);
    const narrow: Infer<typeof kind> = 'a';
    expect(body(kind, narrow)).to.equal('a');
    refuses(kind, 'c', 'A', '', null, ['a']);
    expect(body(nullable(whole()), null)).to.equal(null);
    refuses(exactly('x'), 'y', 1);
    refuses(matching(/^#\w+$/, { max: 5, message: 'must be a hashtag' }), 'x', '#toolong');
    expect(() => body(matching(/^#$/, { max: 5, message: 'must be a hashtag' }), 'x')).to.throw('must be a hashtag');
  });
});
