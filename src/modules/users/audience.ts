import { type Document, type Filter, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import {
  described,
  flag,
  type Infer,
  list,
  named,
  objectId,
  oneOf,
  type Schema,
  shape,
  text,
  whole,
} from '../../core/http/schema.js';
import { fold } from './fold.js';
import { ROLES, type User } from './user.model.js';
import { summarise, SUMMARY_FIELDS, type Summarised, type UserSummary } from './user.presenter.js';
import { PRESENT } from './user.service.js';

const MOST_VALUES = 50;
const MOST_IDS = 1_000;

/** What users are chosen by. Nobody asks for an empty list, but erasure may leave one. */
function facets(min: 0 | 1) {
  const several = <T>(item: Schema<T>, max = MOST_VALUES): Schema<T[]> => list(item, { min, max, unique: true });
  const words = several(text({ max: 120, multiline: false }));
  return {
    roles: several(oneOf(ROLES), ROLES.length),
    campuses: words,
    departments: words,
    graduationYears: several(whole({ min: 1900, max: 2100 })),
    skills: words,
    locations: described(words, 'A place, or what it lies in: `Jordan` finds those in “Amman, Jordan”, too.'),
    companies: words,
    userIds: several(objectId(), MOST_IDS),
  };
}

function audienceShape(min: 0 | 1) {
  return shape({}, { everyone: flag(), ...facets(min), exclude: shape({}, facets(min)) });
}

export type Audience = Infer<ReturnType<typeof audienceShape>>;
type Facets = NonNullable<Audience['exclude']>;

/** Whom to reach. It has to be said: nobody is to reach everyone by leaving something out. */
export const audienceBody: Schema<Audience> = described(
  named(
    'Audience',
    audienceShape(1).custom((audience: Audience, helpers) => {
      const { everyone, exclude: _exclude, ...wanted } = audience;
      return everyone === true || Object.keys(wanted).length > 0
        ? audience
        : helpers.message({ custom: 'must say whom: by one of its lists, or `everyone: true`' });
    }),
  ),
  'Those who fit all lists that are given, each by any of its values, but for whoever fits any list of `exclude`.',
);

export const audienceAnswer = named('AudienceAsked', audienceShape(0));

/** Those of an audience whom a page begins after. */
export interface AudiencePage {
  /** Who has joined later does not belong to it. */
  joinedBy: Date;
  after?: ObjectId | undefined;
  limit: number;
}

/** Finds those who are meant. */
export class Audiences {
  constructor(private readonly deps: { database: Database }) {}

  /** How many there are now, or of those there were then. */
  count(audience: Audience, joinedBy?: Date): Promise<number> {
    return this.users.countDocuments({ ...filterOf(audience), ...(joinedBy && { createdAt: { $lte: joinedBy } }) });
  }

  /**
   * Some of them in the order of their ids. Where few are meant the index of what they have in common finds them; where
   * many are, that of the ids does, and all pages together read each user once.
   */
  page(audience: Audience, { joinedBy, after, limit }: AudiencePage): Promise<Pick<User, '_id' | 'locale'>[]> {
    return this.users
      .find(
        { $and: [filterOf(audience), { createdAt: { $lte: joinedBy } }, after ? { _id: { $gt: after } } : {}] },
        { projection: { locale: 1 }, sort: { _id: 1 }, limit, batchSize: limit + 1 },
      )
      .toArray();
  }

  /** A few of them, picked at random. */
  async sample(audience: Audience, size: number): Promise<UserSummary[]> {
    const found = await this.users
      .aggregate<Summarised>([{ $match: filterOf(audience) }, { $sample: { size } }, { $project: SUMMARY_FIELDS }])
      .toArray();
    return found.map(summarise);
  }

  private get users() {
    return this.deps.database.collection<User>('users');
  }
}

function filterOf({ everyone: _everyone, exclude = {}, ...wanted }: Audience): Filter<User> {
  const unwanted = conditions(exclude);
  return {
    ...PRESENT,
    ...(Object.assign({}, ...conditions(wanted)) as Filter<User>),
    ...(unwanted.length > 0 && { $nor: unwanted }),
  };
}

/** What each list asks for, by the fields that the directory's indexes begin with. */
function conditions({ userIds, roles, graduationYears, ...words }: Facets): Document[] {
  const { campuses, departments, skills, locations, companies } = words;
  const folded = (field: string, values: string[] | undefined): Document[] =>
    values ? [{ [field]: { $in: values.map(fold) } }] : [];
  return [
    ...(userIds ? [{ _id: { $in: userIds.map((id) => new ObjectId(id)) } }] : []),
    ...(roles ? [{ role: { $in: roles } }] : []),
    ...(graduationYears ? [{ graduationYear: { $in: graduationYears } }] : []),
    ...folded('keys.campus', campuses),
    ...folded('keys.department', departments),
    ...folded('keys.skills', skills),
    ...folded('keys.locations', locations),
    ...folded('keys.companies', companies),
  ];
}
