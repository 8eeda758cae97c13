import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../core/database/collections.js';

/** What others are shown of someone. */
export const SHOWN_STATES = ['online', 'away', 'busy', 'offline'] as const;
export type ShownState = (typeof SHOWN_STATES)[number];

/** What a user says of themselves. */
export const SETTABLE_STATES = ['online', 'away', 'busy', 'invisible'] as const;
export type SettableState = (typeof SETTABLE_STATES)[number];

/** How a user's devices on one node stand: away only where all of them are. */
export type DeviceState = 'online' | 'away';

/** What a user has chosen for all devices; it holds until one of them says `online`, also while none is connected. */
export type Choice = 'busy' | 'invisible';

/** Whether and how a user is here, on whatever devices and nodes. One document each, changed by single updates. */
export interface Presence {
  /** The user's id. */
  _id: ObjectId;
  /** The nodes that the user has devices on. */
  nodes: { id: string; state: DeviceState }[];
  choice?: Choice | null;
  /** What follows from both, for everyone who may see it. */
  state: ShownState;
  /** When the user was last anything but `offline`, while being that. */
  lastSeenAt?: Date;
  /** Rises with every change: of two that are told the higher one holds. */
  revision: number;
  /** By the database's clock. */
  changedAt: Date;
}

/** What there is to tell of someone's presence; what nodes tell each other of it. */
export interface PresenceState {
  userId: string;
  state: ShownState;
  lastSeenAt?: Date;
  revision: number;
}

export const presenceCollection: CollectionDefinition = {
  name: 'presences',
  indexes: [
    // What a dead node has left.
    { key: { 'nodes.id': 1 } },
    // What has changed lately: each node looks now and then whether it was told of everything.
    { key: { changedAt: 1 } },
  ],
};
