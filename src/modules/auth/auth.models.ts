import { type Connection, type InferSchemaType, Schema, type Types } from 'mongoose';
import { collectionOf } from '../../core/database/model.js';

/** Password hashes stand apart from users, so that no query for a user can bring one along. */
export const credentialSchema = new Schema(
  {
    _id: { type: Schema.Types.ObjectId, required: true }, // the user
    passwordHash: { type: String, required: true },
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

export type Credential = InferSchemaType<typeof credentialSchema> & { _id: Types.ObjectId };
export type Session = InferSchemaType<typeof sessionSchema> & { _id: Types.ObjectId };

export const authCollections = [collectionOf('credentials', credentialSchema), collectionOf('sessions', sessionSchema)];

/** The models of this module on this connection. */
export function authModels(connection: Connection) {
  return {
    credentials: connection.model('Credential', credentialSchema),
    sessions: connection.model('Session', sessionSchema),
  };
}
export type AuthModels = ReturnType<typeof authModels>;
