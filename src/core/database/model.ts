import { type IndexDefinition, type IndexOptions } from 'mongoose';
import { type CollectionDefinition } from './collections.js';

/** What migrations must create for a Mongoose schema: its collection and the indexes it declares. */
export function collectionOf(
  name: string,
  schema: { indexes(): [IndexDefinition, IndexOptions][] },
): CollectionDefinition {
  return {
    name,
    indexes: schema.indexes().map(([key, { background, ...options }]) => ({
      key: key as Record<string, 1 | -1>,
      options: options as CollectionDefinition['indexes'][number]['options'] & object,
    })),
  };
}
