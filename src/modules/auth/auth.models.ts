import { type InferSchemaType, Schema, type Types } from 'mongoose';
import { collectionOf } from '../../core/database/model.js';

/** Password hashes stand apart from users, so that no query for a user can bring one along. */
export const credentialSchema = new Schema(
  {
    _id: { type: Schema.Types.ObjectId, required: true }, // the user
    passwordHash: { type: String, required: true },
    lastSignInAt: { type: Date },
    updatedAt: { type: Date, required: true },
  },
  { collection: 'credentials', versionKey: false },
);

/** One sign-in on one device: a family of refresh tokens of which only the latest works. */
export const sessionSchema = new Schema(
  {
    userId: { type: Schema.Types.ObjectId, required: true },
    /** How often the refresh token has been rotated; the current token carries this number. */
    generation: { type: Number, required: true },
    rotatedAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
    endedAt: { type: Date },
    userAgent: { type: String },
    ip: { type: String },
    createdAt: { type: Date, required: true },
  },
  { collection: 'sessions', versionKey: false },
);
// Listing and ending the sessions of a user.
sessionSchema.index({ userId: 1, _id: -1 });
// Sessions whose refresh token can no longer be used are of no interest.
sessionSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

/** What one-time tokens are for; a token for one purpose is good for no other. */
export const TOKEN_PURPOSES = ['emailVerification', 'passwordReset', 'twoFactorChallenge', 'emailChange'] as const;
export type TokenPurpose = (typeof TOKEN_PURPOSES)[number];

/** A token that works once. What the holder brings is made from its id by a key of the server and never stored. */
export const oneTimeTokenSchema = new Schema(
  {
    userId: { type: Schema.Types.ObjectId, required: true },
    purpose: { type: String, enum: TOKEN_PURPOSES, required: true },
    /** The address that it was mailed to, where that is not the account's own. */
    email: { type: String },
    expiresAt: { type: Date, required: true },
    /** Wrong codes that were given with it. */
    attempts: { type: Number, required: true },
    usedAt: { type: Date },
  },
  { collection: 'oneTimeTokens', versionKey: false },
);
// All of a user's for one purpose end together, when one of them has served.
oneTimeTokenSchema.index({ userId: 1, purpose: 1 });
oneTimeTokenSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

/** What a code can be mailed for; a code for one purpose is good for no other. */
export const CODE_PURPOSES = ['emailChange', 'passwordChange', 'erasure', 'export'] as const;
export type CodePurpose = (typeof CODE_PURPOSES)[number];

/** Beside those, one shows that a phone is one's own: that one comes by SMS. */
const STORED_CODE_PURPOSES = [...CODE_PURPOSES, 'phone'] as const;
export type StoredCodePurpose = (typeof STORED_CODE_PURPOSES)[number];

/** A code that was mailed, or sent to a phone, and not used yet. It follows from the id by a key of the server and is never stored. */
export const mailedCodeSchema = new Schema(
  {
    userId: { type: Schema.Types.ObjectId, required: true },
    purpose: { type: String, enum: STORED_CODE_PURPOSES, required: true },
    /** The number that it was sent to, where it was. */
    phone: { type: String },
    expiresAt: { type: Date, required: true },
  },
  { collection: 'mailedCodes', versionKey: false },
);
// Finding the one code that a user has for a purpose; of two asked for at once one remains.
mailedCodeSchema.index({ userId: 1, purpose: 1 }, { unique: true });
mailedCodeSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

/** The second factor of an account, from being set up to being turned off. */
export const twoFactorSchema = new Schema(
  {
    _id: { type: Schema.Types.ObjectId, required: true }, // the user
    /** Shared with the owner's app; encrypted. */
    secret: { type: String, required: true },
    /** Absent until a first code has shown that the app works. */
    enabledAt: { type: Date },
    /** The time step of the last code that was used: each works once. */
    lastStep: { type: Number, required: true },
    /** Hashes of those that were not used yet. */
    recoveryCodes: { type: [String], required: true },
  },
  { collection: 'twoFactors', versionKey: false },
);

/** A kind of device that a user has signed in from, so that a new one can be told of. */
export const knownDeviceSchema = new Schema(
  {
    userId: { type: Schema.Types.ObjectId, required: true },
    device: { type: String, required: true },
    firstSeenAt: { type: Date, required: true },
  },
  { collection: 'knownDevices', versionKey: false },
);
// Whether a user signs in from it for the first time: of two sign-ins at once, one is the first.
knownDeviceSchema.index({ userId: 1, device: 1 }, { unique: true });

export type Credential = InferSchemaType<typeof credentialSchema> & { _id: Types.ObjectId };
export type Session = InferSchemaType<typeof sessionSchema> & { _id: Types.ObjectId };
export type OneTimeToken = InferSchemaType<typeof oneTimeTokenSchema> & { _id: Types.ObjectId };
export type MailedCode = InferSchemaType<typeof mailedCodeSchema> & { _id: Types.ObjectId };
export type TwoFactor = InferSchemaType<typeof twoFactorSchema> & { _id: Types.ObjectId };
export type KnownDevice = InferSchemaType<typeof knownDeviceSchema> & { _id: Types.ObjectId };

export const authCollections = [
  collectionOf('credentials', credentialSchema),
  collectionOf('sessions', sessionSchema),
  collectionOf('oneTimeTokens', oneTimeTokenSchema),
  collectionOf('mailedCodes', mailedCodeSchema),
  collectionOf('twoFactors', twoFactorSchema),
  collectionOf('knownDevices', knownDeviceSchema),
];
