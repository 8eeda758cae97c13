import { type Collection, type Document, type Filter, type ObjectId } from 'mongodb';

/** A part of what someone's export holds: a list, an item of the list opened last, or a file of its own. */
export type ExportPart =
  { readonly list: string; readonly item?: object } | { readonly file: string; readonly content: Buffer };

/** What one part of the product keeps of users. Every collection with personal data belongs to one of these. */
export interface PersonalData {
  /** Names the step in which it is erased; never changed, since the progress of an erasure is kept by it. */
  readonly name: string;
  /** The collections that it answers for. */
  readonly collections: readonly string[];
  /** All that is the user's, and of others no more than their ids and names. */
  export(userId: string): AsyncIterable<ExportPart>;
  /**
   * Removes whatever tells of the user. Resumable: it may be killed at any point, and is then run again from its start;
   * where nothing is left to do nothing changes.
   */
  erase(userId: string): Promise<void>;
}

/** A list of an export: `name.json`, an array, also where it is empty. */
export async function* exportedList<T>(
  list: string,
  items: AsyncIterable<T> | Iterable<T>,
  present: (item: T) => object,
): AsyncGenerator<ExportPart> {
  yield { list };
  for await (const item of items) yield { list, item: present(item) };
}

/** One object as a file of an export: `name.json`. */
export function exportedObject(name: string, value: object): ExportPart {
  return { file: `${name}.json`, content: Buffer.from(JSON.stringify(value, undefined, 2)) };
}

/** For what is kept for a while only, and tells nothing that does not stand elsewhere in the export. */
export async function* nothingToExport(): AsyncGenerator<ExportPart> {
  await Promise.resolve();
}

/** The collections that no part answers for, but for those that hold no personal data. */
export function unclaimed(
  collections: readonly string[],
  contributors: readonly Pick<PersonalData, 'collections'>[],
  impersonal: readonly string[],
): string[] {
  const known = new Set([...contributors.flatMap((contributor) => contributor.collections), ...impersonal]);
  return collections.filter((name) => !known.has(name));
}

const BATCH = 500;

/**
 * Deletes every document that names the user's id anywhere: for collections whose documents have no shape of their
 * own. It reads the whole collection, which is bearable for what is kept for days and rarely erased from.
 */
export async function deleteMentions(
  collection: Collection,
  userId: string,
  among: Filter<Document> = {},
): Promise<void> {
  let found: ObjectId[] = [];
  const flush = async (): Promise<void> => {
    if (found.length > 0) await collection.deleteMany({ _id: { $in: found } });
    found = [];
  };
  for await (const document of collection.find(among)) {
    if (!JSON.stringify(document).includes(userId)) continue;
    found.push(document._id);
    if (found.length === BATCH) await flush();
  }
  await flush();
}
