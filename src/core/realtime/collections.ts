import { type CollectionDefinition } from '../database/collections.js';

/** What nodes tell each other in passing (typing, signals, presence): the socket adapter writes it, the feed brings it. */
export const adapterCollection: CollectionDefinition = {
  name: 'socketAdapter',
  indexes: [],
  cappedBytes: 64 * 1024 * 1024,
};
