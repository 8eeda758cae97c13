import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';
import { type SignUpRole } from './oauth.schemas.js';
import { type ProviderName } from './providers/index.js';

/** An account with a provider by which a user signs in. */
export interface Identity {
  _id: ObjectId;
  userId: ObjectId;
  provider: ProviderName;
  /** Names the person at the provider for good. */
  subject: string;
  /** The address as the provider last said it. */
  email?: string;
  linkedAt: Date;
  lastSignInAt: Date;
  /** Counts what must not happen at once with the removal of another one of the same user. */
  revision: number;
}

/** A sign-in that has begun and not come back yet. Nothing of the person is known then. */
export interface OAuthState {
  /** The SHA-256 of the state: whoever reads the database can finish nobody's sign-in. */
  _id: string;
  provider: ProviderName;
  /** Where in the web app it ends. */
  returnTo: string;
  /** What a new account is to be. */
  role: SignUpRole;
  expiresAt: Date;
}

export const identityCollection: CollectionDefinition = {
  name: 'identities',
  indexes: [
    // Whose account someone signs in to. Of two first sign-ins at once, one makes the account.
    { key: { provider: 1, subject: 1 }, options: { unique: true } },
    // One's own, and whether there is another. One per provider: a second person with the same address is kept out.
    { key: { userId: 1, provider: 1 }, options: { unique: true } },
  ],
};

export const oauthStateCollection: CollectionDefinition = {
  name: 'oauthStates',
  indexes: [
    // Those that never came back.
    { key: { expiresAt: 1 }, options: { expireAfterSeconds: 0 } },
  ],
};

export const oauthCollections = [identityCollection, oauthStateCollection];
