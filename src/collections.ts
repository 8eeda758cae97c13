import { type CollectionDefinition } from './core/database/collections.js';
import { type Migration } from './core/database/migrations.js';
import { eventCollections } from './core/events/collections.js';
import { idempotencyCollection } from './core/http/idempotency.js';
import { rateLimitCollection } from './core/http/limits.js';
import { jobCollections } from './core/jobs/collections.js';
import { adapterCollection } from './core/realtime/collections.js';
import { nodesCollection } from './core/realtime/nodes.js';
import { secretsCollection } from './core/security/secrets.js';
import { apiKeyCollections } from './modules/api-keys/index.js';
import { auditCollections } from './modules/audit/index.js';
import { authCollections } from './modules/auth/index.js';
import { callCollections } from './modules/calls/index.js';
import { chatCollections, chatMigrations } from './modules/chat/index.js';
import { mediaCollections } from './modules/media/index.js';
import { networkCollections, networkMigrations } from './modules/network/index.js';
import { notificationCollections, notificationMigrations } from './modules/notifications/index.js';
import { oauthCollections } from './modules/oauth/index.js';
import { personalDataCollections } from './modules/personal-data/index.js';
import { phoneCollections } from './modules/phones/index.js';
import { postCollections } from './modules/posts/index.js';
import { presenceCollections } from './modules/presence/index.js';
import { privacyCollections, privacyMigrations } from './modules/privacy/index.js';
import { reportCollections } from './modules/reports/index.js';
import { userCollections, userMigrations } from './modules/users/index.js';

/** Every collection there is; migrations create them before anything serves. */
export const collections: CollectionDefinition[] = [
  ...eventCollections,
  ...jobCollections,
  adapterCollection,
  nodesCollection,
  idempotencyCollection,
  rateLimitCollection,
  secretsCollection,
  ...userCollections,
  ...authCollections,
  ...oauthCollections,
  ...phoneCollections,
  ...apiKeyCollections,
  ...privacyCollections,
  ...networkCollections,
  ...presenceCollections,
  ...postCollections,
  ...chatCollections,
  ...mediaCollections,
  ...callCollections,
  ...notificationCollections,
  ...reportCollections,
  ...personalDataCollections,
  ...auditCollections,
];

/** Changes of stored data, in the order of their ids. */
export const migrations: Migration[] = [
  ...userMigrations,
  ...privacyMigrations,
  ...networkMigrations,
  ...notificationMigrations,
  ...chatMigrations,
];
