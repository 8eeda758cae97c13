import { createHmac } from 'node:crypto';
import { type ObjectId } from 'mongodb';
import { type CollectionDefinition } from '../../../core/database/collections.js';

/**
 * Why an address gets no mail: it does not exist, its owner took ours for spam or wants none, or an admin said so. A
 * number gets no SMS because it does not exist, or since its owner has answered STOP.
 */
export const SUPPRESSION_REASONS = ['bounce', 'complaint', 'unsubscribe', 'manual', 'stop'] as const;
export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number];

/** Who said so. */
export const SUPPRESSION_SOURCES = ['sendgrid', 'smtp', 'twilio', 'partner', 'admin'] as const;
export type SuppressionSource = (typeof SUPPRESSION_SOURCES)[number];

/** An address that gets no mail, or a phone number that gets no SMS. */
export interface Suppression {
  _id: ObjectId;
  /** What it is found by. It stays when its owner is erased: the address gets no mail then, either. */
  addressHash: string;
  /** For admins; goes when its owner is erased. */
  address?: string;
  /** Whose address it was then, if anyone's. */
  userId?: ObjectId;
  reason: SuppressionReason;
  source: SuppressionSource;
  /** What the mail was refused with, as a code. What a provider says in words may name the address. */
  error?: string;
  createdAt: Date;
}

export const suppressionCollection: CollectionDefinition = {
  name: 'mailSuppressions',
  indexes: [
    // Whether an address or a number gets anything, from its keys alone; and an address is suppressed once for each reason.
    { key: { addressHash: 1, reason: 1 }, options: { unique: true } },
    // GET /admin/suppressions, newest first, by reason.
    { key: { reason: 1, _id: -1 } },
    // What is exported and erased with a user.
    { key: { userId: 1 } },
  ],
};

/** The hash of an address, however it is spelt in capitals: without the key nobody can try addresses out. */
export function hashOfAddress(key: Buffer, address: string): string {
  return createHmac('sha256', key).update(spelt(address)).digest('base64url');
}

/** The one spelling of an address that counts; users' own addresses are kept in it. */
export function spelt(address: string): string {
  return address.normalize('NFC').trim().toLowerCase();
}
