import { DAY, SECOND } from '../../../core/clock.js';
import { type CollectionDefinition } from '../../../core/database/collections.js';

/** Something that a provider has told us, so that it counts once however often it is told. */
export interface ProviderEvent {
  /** The provider and its own id of it. */
  _id: string;
  at: Date;
}

/** Providers repeat for a day what was not answered. What tells of longer ago is not believed, from whomever. */
export const MEMORY_MS = 3 * DAY;

export const providerEventCollection: CollectionDefinition = {
  name: 'providerEvents',
  indexes: [
    // What will not be told again goes by itself.
    { key: { at: 1 }, options: { expireAfterSeconds: MEMORY_MS / SECOND } },
  ],
};
