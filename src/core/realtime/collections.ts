import { type CollectionDefinition } from '../database/collections.js';

/**
 * What nodes tell each other in passing (typing, signals, presence): a capped collection tailed by the socket
 * adapter. Its size bounds how long a slow node may lag behind.
 */
export const adapterCollection: CollectionDefinition = {
  name: 'socketAdapter',
  indexes: [],
  cappedBytes: 64 * 1024 * 1024,
};
