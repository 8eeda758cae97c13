import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

/** What a key may be allowed to do. Routes name the scope that opens them to keys. */
export const SCOPES = ['notifications:write', 'notifications:read', 'feedback:write', 'deliveries:write'] as const;
export type Scope = (typeof SCOPES)[number];

/** A key of a partner system. The key itself is shown once and never stored. */
export interface ApiKey {
  _id: ObjectId;
  name: string;
  scopes: Scope[];
  /** SHA-256 of its secret part, which is random and long: no slower hash would add anything. */
  hash: string;
  createdBy: ObjectId;
  createdAt: Date;
  expiresAt?: Date;
  /** To the minute. */
  lastUsedAt?: Date;
  revokedAt?: Date;
}

/** Listing pages by `_id`, the index every collection has; so does looking up a key that was given. */
export const apiKeyCollection: CollectionDefinition = { name: 'apiKeys', indexes: [] };
