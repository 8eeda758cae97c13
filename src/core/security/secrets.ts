import { type CollectionDefinition } from '../database/collections.js';
import { type Database } from '../database/database.js';
import { isDuplicateKey } from '../database/errors.js';

/** Keys that were made at first start because none were configured; all nodes share them. */
export const secretsCollection: CollectionDefinition = { name: 'secrets', indexes: [] };

/**
 * The secret of that name, made by `make` if there is none yet. Nodes that start together agree on one.
 */
export async function sharedSecret<T>(database: Database, name: string, make: () => T): Promise<T> {
  const secrets = database.collection<{ _id: string; value: T }>(secretsCollection.name);
  const existing = await secrets.findOne({ _id: name });
  if (existing) return existing.value;
  const value = make();
  try {
    await secrets.insertOne({ _id: name, value });
    return value;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return sharedSecret(database, name, make);
  }
}
