import { type Connection, type InferSchemaType, Schema, type Types } from 'mongoose';
import { collectionOf } from '../../core/database/model.js';

export const ROLES = ['student', 'alumni', 'recruiter', 'moderator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const LOCALES = ['en', 'ar'] as const;
export type Locale = (typeof LOCALES)[number];

export const userSchema = new Schema(
  {
    name: { type: String, required: true },
    email: { type: String, required: true },
    role: { type: String, enum: ROLES, required: true },
    locale: { type: String, enum: LOCALES, required: true },
    headline: { type: String },
    about: { type: new Schema({ en: String, ar: String }, { _id: false }) },
    location: { type: String },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  },
  { collection: 'users', versionKey: false },
);
// Sign-in, and one account per address.
userSchema.index({ email: 1 }, { unique: true });

export type User = InferSchemaType<typeof userSchema> & { _id: Types.ObjectId };

export const userCollections = [collectionOf('users', userSchema)];

/** The model of users on this connection. */
export function userModel(connection: Connection) {
  return connection.model('User', userSchema);
}
export type UserModel = ReturnType<typeof userModel>;
