import { type Document, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { notFound } from '../../core/http/problem.js';
import { type User } from './user.model.js';
import { summarise, SUMMARY_FIELDS, type Summarised, type UserSummary } from './user.presenter.js';
import { PRESENT } from './user.service.js';

/** So many are looked at of those who share one kind of thing. */
const MOST_PER_KIND = 100;

/** Someone else, and what a user has in common with them as far as their profile shows it to everyone. */
export interface Peer {
  id: string;
  summary: UserSummary;
  company: boolean;
  /** The same campus and year of graduation. */
  cohort: boolean;
  department: boolean;
  /** How many skills. */
  skills: number;
}

type Facts = Pick<User, '_id' | 'graduationYear' | 'keys'>;
type Compared = Facts & Summarised & Pick<User, 'profileAudience'>;

const FACTS = {
  graduationYear: 1,
  'keys.campus': 1,
  'keys.department': 1,
  'keys.companies': 1,
  'keys.skills': 1,
} as const;

/** What is read of those compared, and no more: hundreds are read for one answer. */
const COMPARED_FIELDS = { ...FACTS, ...SUMMARY_FIELDS, profileAudience: 1 } as const;

/** Finds users who have something in common: a bounded number by each index, however large the campus is. */
export class Peers {
  constructor(private readonly deps: { database: Database }) {}

  /**
   * Some of those who share a company, cohort, department or skill with the user; never those excluded.
   * @throws Problem 404 `USER_NOT_FOUND`
   */
  async find(userId: string, excluded: ObjectId[]): Promise<string[]> {
    const own = await this.users.findOne<Facts>({ _id: new ObjectId(userId), ...PRESENT }, { projection: FACTS });
    if (!own) throw nobody();
    const { companies, campus, department, skills } = own.keys;
    const { graduationYear } = own;
    const kinds: Document[] = [
      ...(companies.length > 0 ? [{ 'keys.companies': { $in: companies } }] : []),
      ...(graduationYear != null && campus != null ? [{ graduationYear, 'keys.campus': campus }] : []),
      ...(department != null ? [{ 'keys.department': department }] : []),
      ...(skills.length > 0 ? [{ 'keys.skills': { $in: skills } }] : []),
    ];
    const found = await Promise.all(
      kinds.map((kind) =>
        this.users
          .find({ ...kind, _id: { $nin: excluded }, ...PRESENT }, { projection: { _id: 1 }, limit: MOST_PER_KIND })
          .toArray(),
      ),
    );
    return [...new Set(found.flat().map(({ _id }) => _id.toHexString()))];
  }

  /**
   * What the user has in common with each of these others; who is not there for anyone is absent. The user, the others
   * and what is shown of them come in one trip.
   * @throws Problem 404 `USER_NOT_FOUND`
   */
  async compare(userId: string, otherIds: string[]): Promise<Peer[]> {
    const _ids = [userId, ...otherIds].map((id) => new ObjectId(id));
    const found = await this.users
      .find<Compared>({ _id: { $in: _ids }, ...PRESENT }, { projection: COMPARED_FIELDS, batchSize: _ids.length + 1 })
      .toArray();
    const own = found.find(({ _id }) => _id.equals(userId));
    if (!own) throw nobody();
    const inCommon = comparison(own);
    return found
      .filter((user) => user !== own)
      .map((other) => {
        const summary = summarise(other);
        // What a profile shows to some only must not be told to the others by way of what they have in common.
        return { id: summary.id, summary, ...(other.profileAudience == null ? inCommon(other) : NOTHING) };
      });
  }

  private get users() {
    return this.deps.database.collection<User>('users');
  }
}

const NOTHING = { company: false, cohort: false, department: false, skills: 0 };

function comparison({ graduationYear, keys }: Facts): (other: Facts) => typeof NOTHING {
  const [companies, skills] = [new Set(keys.companies), new Set(keys.skills)];
  return (other) => ({
    company: other.keys.companies.some((company) => companies.has(company)),
    cohort:
      graduationYear != null &&
      graduationYear === other.graduationYear &&
      keys.campus != null &&
      keys.campus === other.keys.campus,
    department: keys.department != null && keys.department === other.keys.department,
    skills: other.keys.skills.filter((skill) => skills.has(skill)).length,
  });
}

function nobody(): Error {
  return notFound('USER_NOT_FOUND', 'There is no such user.');
}
