import { type Db, type Document, type IndexDescription, ObjectId } from 'mongodb';
import pLimit from 'p-limit';

/** Where the raw inserts go: without further indexes, and with those that notifications have. */
export const RAW = { bare: 'rawBare', indexed: 'rawIndexed', messages: 'rawMessages' };

const BATCH = 500;

/** Gives a collection the indexes of another. */
export async function copyIndexes(db: Db, { from, to }: { from: string; to: string }): Promise<void> {
  const indexes = await db.collection(from).listIndexes().toArray();
  const further = indexes.filter(({ name }: Document) => name !== '_id_') as IndexDescription[];
  await db.collection(to).createIndexes(further.map(({ key, ...options }) => ({ key, ...options })));
}

/**
 * Documents a second that `insertMany` writes in batches of 500, by a majority.
 * @param like documents to write copies of, under ids and keys of their own
 */
export async function insertRaw(
  db: Db,
  { name, like, count, atOnce }: { name: string; like: Document[]; count: number; atOnce: number },
): Promise<number> {
  const documents = Array.from({ length: count }, (_, index) => {
    const _id = new ObjectId();
    return { ...like[index % like.length], _id, dedupeKey: `raw:${_id.toHexString()}` };
  });
  const limit = pLimit(atOnce);
  const start = performance.now();
  await Promise.all(
    Array.from({ length: Math.ceil(count / BATCH) }, (_, batch) =>
      limit(() => db.collection(name).insertMany(documents.slice(batch * BATCH, (batch + 1) * BATCH))),
    ),
  );
  return count / ((performance.now() - start) / 1_000);
}
