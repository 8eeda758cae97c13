import { type Document, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type User } from './user.model.js';
import { PRESENT } from './user.service.js';

/** So many are looked at of those who share one kind of thing. */
const MOST_PER_KIND = 100;

/** What a user has in common with another one, by their profiles. */
export interface Peer {
  id: string;
  company: boolean;
  /** The same campus and year of graduation. */
  cohort: boolean;
  department: boolean;
  /** How many skills. */
  skills: number;
}

type Compared = Pick<User, '_id' | 'graduationYear' | 'keys'>;

/** What is compared of a user, and no more: hundreds are read for one answer. */
const COMPARED_FIELDS = {
  graduationYear: 1,
  'keys.campus': 1,
  'keys.department': 1,
  'keys.companies': 1,
  'keys.skills': 1,
} as const;

/** Finds users who have something in common: a bounded number by each index, however large the campus is. */
export class Peers {
  constructor(private readonly deps: { database: Database }) {}

  /** Some of those who share a company, cohort, department or skill with the user; never those excluded. */
  async find({ graduationYear, keys }: User, excluded: ObjectId[]): Promise<string[]> {
    const { companies, campus, department, skills } = keys;
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

  /** What the user has in common with each of these; who is not there for anyone is absent. */
  async compare({ graduationYear, keys }: User, ids: string[]): Promise<Peer[]> {
    const found = await this.users
      .find<Compared>(
        { _id: { $in: ids.map((id) => new ObjectId(id)) }, ...PRESENT },
        { projection: COMPARED_FIELDS, batchSize: ids.length + 1 },
      )
      .toArray();
    const [companies, skills] = [new Set(keys.companies), new Set(keys.skills)];
    return found.map((other) => ({
      id: other._id.toHexString(),
      company: other.keys.companies.some((company) => companies.has(company)),
      cohort:
        graduationYear != null &&
        graduationYear === other.graduationYear &&
        keys.campus != null &&
        keys.campus === other.keys.campus,
      department: keys.department != null && keys.department === other.keys.department,
      skills: other.keys.skills.filter((skill) => skills.has(skill)).length,
    }));
  }

  private get users() {
    return this.deps.database.collection<User>('users');
  }
}
