import { BSON, type Collection, type Document, type Filter, type WithId } from 'mongodb';
import { type Signer } from '../security/signing.js';
import { badRequest, type Problem } from './problem.js';
import { list, nullable, perhaps, type Schema, shape, text, whole, withDefault } from './schema.js';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;
const MAX_CURSOR = 2_048;

/** The query parameters of a list, to be spread into its query shape: `shape({ ...pageQuery, kind })`. */
export const pageQuery = {
  limit: withDefault(whole({ min: 1, max: MAX_LIMIT }), DEFAULT_LIMIT),
  cursor: perhaps(text({ max: MAX_CURSOR })),
};

/** A page as it is answered. */
export interface Page<T> {
  data: T[];
  /** Where the next page starts; null on the last one. */
  nextCursor: string | null;
}

/** The schema of a page of `item`. */
export function pageOf<T>(item: Schema<T>): Schema<Page<T>> {
  return shape({ data: list(item), nextCursor: nullable(text()) });
}

/** The order of a list, ending with a unique field. Every item has all of these fields. */
export type PageSort = readonly (readonly [field: string, direction: 1 | -1])[];

interface PageOptions {
  sort: PageSort;
  limit: number;
  cursor?: string | undefined;
  /** Names the list and its filter (`posts?author=…`): a cursor works only where it comes from. */
  scope: string;
}

/** A list read from a collection. */
export interface CollectionPage<T extends Document> extends PageOptions {
  collection: Collection<T>;
  filter: Filter<T>;
  projection?: Document;
}

/** What a page asks of a query; `sort` is good for a `$sort` stage too. */
export interface FindOptions {
  sort: Record<string, 1 | -1>;
  limit: number;
}

/** A list read in another way: `find` is given the filter (yours and the cursor's), the order and how many to read. */
export interface CustomPage<T extends object> extends PageOptions {
  filter: Document;
  find: (filter: Document, options: FindOptions) => Promise<T[]>;
}

/** Pages by the last item's sort values (keyset), so that what is inserted meanwhile neither repeats nor skips an item. */
export interface Pager {
  /** @throws Problem 400 `INVALID_CURSOR` where the cursor was changed, or belongs to another list */
  page<T extends Document>(request: CollectionPage<T>): Promise<Page<WithId<T>>>;
  page<T extends object>(request: CustomPage<T>): Promise<Page<T>>;
}

/** A pager whose cursors are signed, so that clients can neither make nor change them. */
export function createPager(signer: Signer): Pager {
  async function page(request: CollectionPage<Document> | CustomPage<object>): Promise<Page<object>> {
    const { sort, limit, cursor, scope } = request;
    const values = cursor === undefined ? undefined : openCursor(signer, cursor, scope, sort);
    const filter = values ? { $and: [request.filter, beyond(sort, values)] } : request.filter;
    const options = { sort: Object.fromEntries(sort), limit: limit + 1 };
    const items = 'find' in request ? await request.find(filter, options) : await findIn(request, filter, options);

    const data = items.slice(0, limit);
    const last = items.length > limit ? data.at(-1) : undefined;
    return { data, nextCursor: last ? sealCursor(signer, last, scope, sort) : null };
  }
  return { page: page };
}

function findIn(
  { collection, projection }: CollectionPage<Document>,
  filter: Document,
  options: FindOptions,
): Promise<object[]> {
  return collection.find(filter, { ...options, ...(projection && { projection }) }).toArray();
}

/** What comes after the item with these sort values: `a < x`, or `a = x` and `b < y`, and so on. */
function beyond(sort: PageSort, values: readonly unknown[]): Document {
  const branches = sort.map(([field, direction], index) => ({
    ...Object.fromEntries(sort.slice(0, index).map(([earlier], position) => [earlier, { $eq: values[position] }])),
    [field]: direction === 1 ? { $gt: values[index] } : { $lt: values[index] },
  }));
  const [first] = sort;
  if (!first || branches.length === 1) return branches[0] ?? {};
  // Says what the branches imply, so that the planner can bound its index scan by the first field.
  return { [first[0]]: first[1] === 1 ? { $gte: values[0] } : { $lte: values[0] }, $or: branches };
}

function sealCursor(signer: Signer, item: object, scope: string, sort: PageSort): string {
  const values = sort.map(([field]) => valueAt(item, field));
  // Extended JSON keeps dates and ids what they are.
  const payload = Buffer.from(BSON.EJSON.stringify(values, { relaxed: false })).toString('base64url');
  return `${payload}.${signer.sign(bound(payload, scope, sort))}`;
}

function openCursor(signer: Signer, cursor: string, scope: string, sort: PageSort): readonly unknown[] {
  const [payload, signature, ...rest] = cursor.split('.');
  if (payload === undefined || signature === undefined || rest.length > 0) throw invalidCursor();
  if (!signer.verify(bound(payload, scope, sort), signature)) throw invalidCursor();
  return BSON.EJSON.parse(Buffer.from(payload, 'base64url').toString()) as unknown[];
}

/** What the signature covers: the values and the one list that they are good for. */
function bound(payload: string, scope: string, sort: PageSort): string {
  return JSON.stringify(['cursor', scope, sort, payload]);
}

function invalidCursor(): Problem {
  return badRequest('INVALID_CURSOR', 'The cursor does not belong to this list. Start again without one.');
}

/** @throws Error where a sort field is missing: the next page could not be found by it */
function valueAt(item: object, path: string): unknown {
  let value: unknown = item;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[key];
  if (value === undefined || value === null) throw new Error(`Cannot page by "${path}": an item lacks it`);
  return value;
}
