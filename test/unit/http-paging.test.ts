import { expect } from 'chai';
import fc from 'fast-check';
import { ObjectId } from 'mongodb';
import { type Database } from '../../src/core/database/database.js';
import {
  createPager,
  type FindOptions,
  type Page,
  pageOf,
  type PageSort,
  pageQuery,
} from '../../src/core/http/paging.js';
import { Problem } from '../../src/core/http/problem.js';
import { shape, whole } from '../../src/core/http/schema.js';
import { createSigner } from '../../src/core/security/signing.js';
import { dropDatabase, freshDatabase } from './http-app.js';

interface Item {
  _id: ObjectId;
  at: Date;
  rank: number;
  name: string;
}

const signer = createSigner([Buffer.alloc(32, 1)]);
const pager = createPager(signer);
const NEWEST: PageSort = [
  ['at', -1],
  ['_id', -1],
];

describe('http paging', () => {
  let database: Database;
  const items = () => database.collection<Item>('items');
  const item = (at: number, rank = 0, name = 'n'): Item => ({ _id: new ObjectId(), at: new Date(at), rank, name });

  before(async () => {
    database = await freshDatabase([{ name: 'items', indexes: [{ key: { at: -1, _id: -1 } }] }]);
  });
  beforeEach(() => items().deleteMany({}));
  after(() => dropDatabase(database));

  const pageAt = (cursor: string | null | undefined, limit = 3, scope = 'items', sort = NEWEST): Promise<Page<Item>> =>
    pager.page({ collection: items(), filter: {}, sort, limit, cursor: cursor ?? undefined, scope });

  async function all(sort: PageSort, limit: number): Promise<Item[]> {
    const seen: Item[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await pageAt(cursor, limit, 'items', sort);
      expect(page.data.length).to.be.at.most(limit);
      seen.push(...page.data);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return seen;
  }

  it('visits everything once in order, ties and both directions included', async () => {
    const documents = Array.from({ length: 23 }, (_, index) => item(index % 4, index % 3, index % 2 ? 'ب' : 'a'));
    await items().insertMany(documents);
    const sorts: PageSort[] = [
      NEWEST,
      [
        ['at', 1],
        ['_id', 1],
      ],
      [
        ['rank', -1],
        ['at', 1],
        ['_id', -1],
      ],
      [
        ['name', 1],
        ['rank', -1],
        ['_id', 1],
      ],
      [['_id', -1]],
    ];
    for (const sort of sorts) {
      const expected = await items()
        .find()
        .sort(sort.map(([field, direction]): [string, 1 | -1] => [field, direction]))
        .toArray();
      for (const limit of [1, 5, 23, 100]) expect(await all(sort, limit)).to.deep.equal(expected);
    }
  });

  it('neither repeats nor skips what was there, while others insert and delete', async () => {
    const documents = Array.from({ length: 10 }, (_, index) => item(100 + index));
    await items().insertMany(documents);
    const first = await pageAt(undefined);
    await items().insertMany([item(50), item(105), item(500)]);
    await items().deleteOne({ _id: first.data.at(-1)!._id });
    const rest = [...first.data];
    for (let cursor = first.nextCursor; cursor !== null;) {
      const page = await pageAt(cursor);
      rest.push(...page.data);
      cursor = page.nextCursor;
    }
    const ids = rest.map(({ _id }) => _id.toHexString());
    expect(new Set(ids).size).to.equal(ids.length);
    expect(ids).to.include.members(documents.map(({ _id }) => _id.toHexString()));
  });

  it('says that there is no more, also where the last page is full', async () => {
    expect(await pageAt(undefined)).to.deep.equal({ data: [], nextCursor: null });
    await items().insertMany([item(1), item(2), item(3)]);
    expect((await pageAt(undefined, 3)).nextCursor).to.equal(null);
    expect((await pageAt(undefined, 2)).nextCursor).to.be.a('string');
  });

  it('keeps to the filter and the projection', async () => {
    await items().insertMany([item(1, 1), item(2, 2), item(3, 1), item(4, 1)]);
    const options = {
      collection: items(),
      filter: { rank: 1 },
      sort: NEWEST,
      limit: 2,
      scope: 'rank=1',
      projection: { name: 0 },
    };
    const first = await pager.page(options);
    const second = await pager.page({ ...options, cursor: first.nextCursor ?? undefined });
    expect([...first.data, ...second.data].map(({ at }) => at.getTime())).to.deep.equal([4, 3, 1]);
    expect(first.data[0]).not.to.have.property('name');
  });

  it('pages what is found in another way', async () => {
    await items().insertMany([item(1), item(2), item(3)]);
    const find = (filter: object, { sort, limit }: FindOptions) =>
      items()
        .aggregate<Item>([{ $match: filter }, { $sort: sort }, { $limit: limit }])
        .toArray();
    const first = await pager.page({ find, filter: {}, sort: NEWEST, limit: 2, scope: 'x' });
    const second = await pager.page({
      find,
      filter: {},
      sort: NEWEST,
      limit: 2,
      scope: 'x',
      cursor: first.nextCursor ?? undefined,
    });
    expect([...first.data, ...second.data].map(({ at }) => at.getTime())).to.deep.equal([3, 2, 1]);
  });

  it('refuses cursors of other lists, orders and servers, and changed ones', async () => {
    await items().insertMany([item(1), item(2), item(3)]);
    const { nextCursor } = await pageAt(undefined, 1);
    const [payload = '', signature = ''] = nextCursor!.split('.');
    const foreign = createPager(createSigner([Buffer.alloc(32, 9)]));
    const other = await foreign.page({ collection: items(), filter: {}, sort: NEWEST, limit: 1, scope: 'items' });
    const tampered = Buffer.from('[{"$gt":""},{"$gt":""}]').toString('base64url');
    const bad = [
      '',
      '.',
      'x',
      `${payload}.`,
      `.${signature}`,
      `${payload}A.${signature}`,
      `${tampered}.${signature}`,
      `${nextCursor!}.x`,
      `${nextCursor!}=`,
      other.nextCursor!,
    ];
    for (const cursor of bad) await expectInvalid(pageAt(cursor, 1));
    await expectInvalid(pageAt(nextCursor, 1, 'others'));
    await expectInvalid(
      pageAt(nextCursor, 1, 'items', [
        ['rank', -1],
        ['_id', -1],
      ]),
    );
  });

  it('refuses whatever else is sent as a cursor', () =>
    fc.assert(fc.asyncProperty(fc.string(), (cursor) => expectInvalid(pageAt(cursor)))));

  it('goes on after the signing key was replaced', async () => {
    await items().insertMany([item(1), item(2)]);
    const { nextCursor } = await pageAt(undefined, 1);
    const rotated = createPager(createSigner([Buffer.alloc(32, 2), Buffer.alloc(32, 1)]));
    const { data } = await rotated.page({
      collection: items(),
      filter: {},
      sort: NEWEST,
      limit: 1,
      scope: 'items',
      cursor: nextCursor!,
    });
    expect(data).to.have.length(1);
  });

  it('offers its query parameters and its answer as schemas', () => {
    const query = shape(pageQuery);
    expect(query.validate({}).value).to.deep.equal({ limit: 20 });
    expect(query.validate({ limit: '100', cursor: 'x' }).value).to.deep.equal({ limit: 100, cursor: 'x' });
    expect(query.validate({ limit: '101' }).error).to.be.an('error');
    expect(pageOf(whole()).validate({ data: [1], nextCursor: null }).error).to.equal(undefined);
  });
});

async function expectInvalid(page: Promise<unknown>): Promise<void> {
  const problem: unknown = await page.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(problem).to.be.instanceOf(Problem).and.include({ status: 400, code: 'INVALID_CURSOR' });
}

describe('signing', () => {
  it('needs keys that are long enough', () => {
    expect(() => createSigner([])).to.throw('needs a key');
    expect(() => createSigner([Buffer.alloc(31)])).to.throw('32 bytes');
  });

  it('accepts its own signature in its one spelling only', () => {
    const signature = signer.sign('data');
    expect(signer.verify('data', signature)).to.equal(true);
    expect(signer.verify('date', signature)).to.equal(false);
    for (const bad of ['', `${signature}=`, ` ${signature}`, signature.slice(1), signature.replace(/.$/, '+')]) {
      expect(signer.verify('data', bad), bad).to.equal(false);
    }
  });
});
