import { blockCollection } from './block.model.js';

export { userBlocked, userUnblocked } from './block.events.js';
export { BlockList } from './block-list.js';

export const privacyCollections = [blockCollection];
