import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';
import { type Permission } from '../../core/visibility.js';

export const AUDIENCES = ['everyone', 'connections', 'nobody'] as const;
export type Audience = (typeof AUDIENCES)[number];

/** Who may do what to or with a user, and what others see of them. */
export interface PrivacySettings extends Record<Permission, Audience> {
  showPhoto: boolean;
  showActivityStatus: boolean;
}

/** Open enough to find each other; what rings or draws into a circle is left to those one knows. */
export const DEFAULT_SETTINGS: Readonly<PrivacySettings> = {
  message: 'everyone',
  call: 'connections',
  viewProfile: 'everyone',
  viewActivity: 'everyone',
  addToGroup: 'connections',
  showPhoto: true,
  showActivityStatus: true,
};

export const SETTINGS = Object.keys(DEFAULT_SETTINGS) as (keyof PrivacySettings)[];

/** What a user has chosen; what they never chose is absent, and follows the defaults. */
export type StoredSettings = Partial<PrivacySettings> & { _id: ObjectId };

export const settingsCollection: CollectionDefinition = {
  name: 'privacySettings',
  // Read by the user's id only.
  indexes: [],
};

/** The settings with the defaults for what was never chosen. */
export function complete(stored: StoredSettings | null): PrivacySettings {
  const { _id, ...chosen } = stored ?? { _id: undefined };
  return { ...DEFAULT_SETTINGS, ...chosen };
}
