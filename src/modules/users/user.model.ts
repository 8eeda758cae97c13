import { type Connection, type InferSchemaType, Schema, type Types } from 'mongoose';
import { collectionOf } from '../../core/database/model.js';
import { fold } from './fold.js';
import { type Profile } from './profile.schemas.js';

export const ROLES = ['student', 'alumni', 'recruiter', 'moderator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const LOCALES = ['en', 'ar'] as const;
export type Locale = (typeof LOCALES)[number];

/** Who may view a profile that not everyone may. */
export const PROFILE_AUDIENCES = ['connections', 'nobody'] as const;
export type ProfileAudience = (typeof PROFILE_AUDIENCES)[number] | 'everyone';

export const THEMES = ['LIGHT', 'DARK', 'SYSTEM'] as const;
export const FEED_SORTS = ['RELEVANCE', 'RECENT'] as const;

/** A stored picture; its name alone tells nothing and is never reused. */
const pictureSchema = new Schema({ name: { type: String, required: true } }, { _id: false });

/** What the directory finds users by, folded; follows from the fields beside it. */
const keysSchema = new Schema(
  {
    name: { type: String, required: true },
    campus: { type: String },
    department: { type: String },
    companies: { type: [String], required: true },
    skills: { type: [String], required: true },
    locations: { type: [String], default: undefined },
  },
  { _id: false },
);

/** An account that its owner has given up; present from the request until nothing is left of the account. */
const deletionSchema = new Schema(
  {
    requestedAt: { type: Date, required: true },
    /** When everything is erased, unless the owner signs in before; from then on the end of a worker's claim. */
    dueAt: { type: Date, required: true },
    /** From here on there is no way back. */
    startedAt: { type: Date },
    /** The claim of the worker that is erasing it. */
    claim: { type: String },
    /** The steps of the erasure that are done. */
    done: { type: [String], required: true },
  },
  { _id: false },
);

export const userSchema = new Schema(
  {
    name: { type: String, required: true },
    email: { type: String, required: true },
    role: { type: String, enum: ROLES, required: true },
    locale: { type: String, enum: LOCALES, required: true },
    timeZone: { type: String },
    theme: { type: String, enum: THEMES },
    feedSort: { type: String, enum: FEED_SORTS },
    headline: { type: String },
    about: { type: new Schema({ en: String, ar: String }, { _id: false }) },
    location: { type: String },
    /** When its owner proved that mail to the address reaches them. */
    emailVerifiedAt: { type: Date },
    /** Until then nothing can be done with the account. */
    suspendedUntil: { type: Date },
    skills: { type: [String], default: undefined },
    // Written only after validation by the schemas of the API, from which their types come.
    experience: { type: [Schema.Types.Mixed], default: undefined },
    education: { type: [Schema.Types.Mixed], default: undefined },
    placement: { type: Schema.Types.Mixed },
    links: { type: [String], default: undefined },
    openToWork: { type: Boolean },
    campus: { type: String },
    department: { type: String },
    graduationYear: { type: Number },
    avatar: { type: pictureSchema },
    banner: { type: pictureSchema },
    /** Others do not see the avatar; follows from the privacy settings, which are changed with it. */
    photoHidden: { type: Boolean },
    /** Absent where everyone may view the profile; follows from the privacy settings, which are changed with it. */
    profileAudience: { type: String, enum: PROFILE_AUDIENCES },
    keys: { type: keysSchema, required: true },
    deletion: { type: deletionSchema },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  },
  { collection: 'users', versionKey: false },
);
// Sign-in, and one account per address.
userSchema.index({ email: 1 }, { unique: true });
// The directory in the order of names, and by the beginning of a name.
userSchema.index({ 'keys.name': 1, _id: 1 });
// The directory by one fact, each in the order of names: GET /users?role=, ?campus=, and so on.
for (const field of ['role', 'keys.campus', 'keys.department', 'graduationYear', 'keys.companies', 'keys.skills']) {
  userSchema.index({ [field]: 1, 'keys.name': 1, _id: 1 });
}
// An audience by where its members are.
userSchema.index({ 'keys.locations': 1 });
// A cohort: those of one campus who graduate in the same year, for suggestions.
userSchema.index({ graduationYear: 1, 'keys.campus': 1, _id: 1 });
// Accounts whose erasure is due, the longest due first; holds only accounts that were given up.
userSchema.index({ 'deletion.dueAt': 1 }, { partialFilterExpression: { 'deletion.dueAt': { $exists: true } } });

type Stored = InferSchemaType<typeof userSchema>;
export type User = Omit<Stored, keyof Profile> & Profile & { _id: Types.ObjectId };
export type DirectoryKeys = Stored['keys'];

export const userCollections = [collectionOf('users', userSchema)];

/** The keys that follow from a user's fields. */
export function keysOf(user: Pick<User, 'name' | keyof Profile>): DirectoryKeys {
  const { name, campus, department, experience = [], placement, skills = [], location } = user;
  const companies = [...experience, ...(placement ? [placement] : [])].map(({ company }) => fold(company));
  return {
    name: fold(name),
    ...(campus !== undefined && { campus: fold(campus) }),
    ...(department !== undefined && { department: fold(department) }),
    companies: [...new Set(companies)],
    skills: skills.map(fold),
    ...(location != null && { locations: placesOf(location) }),
  };
}

/** A place by its whole name and by each part of it: “Amman, Jordan” is in Amman and in Jordan. */
function placesOf(location: string): string[] {
  const places = [location, ...location.split(/[,،]/u)].map(fold);
  return [...new Set(places)].filter((place) => place !== '');
}

/** The model of users on this connection. */
export function userModel(connection: Connection) {
  return connection.model('User', userSchema);
}
export type UserModel = ReturnType<typeof userModel>;
