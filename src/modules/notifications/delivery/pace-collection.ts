import { type CollectionDefinition } from '../../../core/database/collections.js';

/** How much each provider may be sent just now: one document per provider, found by its id. */
export const paceCollection: CollectionDefinition = { name: 'providerPace', indexes: [] };
