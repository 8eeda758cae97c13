import { type IndexDescription } from 'mongodb';

/** An index and the query it serves. */
export interface IndexDefinition {
  key: IndexDescription['key'];
  options?: Omit<IndexDescription, 'key'>;
}

/** A collection that migrations create, with its indexes, before anything serves. */
export interface CollectionDefinition {
  name: string;
  indexes: IndexDefinition[];
  /** Size in bytes where the collection is capped. */
  cappedBytes?: number;
}
