import { type Db, type Document, ObjectId } from 'mongodb';
import { type Connection, connectionCollection } from '../../src/modules/network/connection.model.js';
import { keysOf } from '../../src/modules/users/user.model.js';
import { mulberry32 } from '../random.js';

/** A place of study: one campus, department and year, whose people know one another best. */
interface Cohort {
  campus: string;
  department: string;
  graduationYear: number;
}

export interface TownOptions {
  users: number;
  /** How many of them have many connections, and how many; the others have 50 on the average. */
  hubs: number;
  hubConnections: number;
}

const CAMPUSES = ['Amman', 'إربد', 'Zarqa', 'الكرك', 'Aqaba'];
const DEPARTMENTS = 12;
const YEARS = 15;
const FIRST_YEAR = 2014;
const COMPANIES = 500;
const SKILLS = 200;
/** Each asks so many at least and at most; as many again ask them. */
const ASKS = { least: 5, most: 50 };
const BATCH = 5_000;
const START = new Date('2024-01-01T00:00:00Z').getTime();
const SPAN_MS = 2 * 365 * 86_400_000;

/**
 * A campus community that is the same each time: cohorts of people who mostly know their own, some of their department
 * and a few from anywhere. Written in bulk in the shapes in which Atrium writes users and connections.
 */
export class Town {
  private readonly ids: ObjectId[];
  private readonly random = mulberry32(1);
  private readonly knows: Set<number>[];
  private readonly cohorts: Cohort[];

  constructor(private readonly options: TownOptions) {
    this.ids = Array.from({ length: options.users }, () => new ObjectId());
    this.knows = this.ids.map(() => new Set());
    this.cohorts = CAMPUSES.flatMap((campus) =>
      Array.from({ length: DEPARTMENTS * YEARS }, (_, index) => ({
        campus,
        department: `Department ${Math.floor(index / YEARS)}`,
        graduationYear: FIRST_YEAR + (index % YEARS),
      })),
    );
    for (let index = 0; index < options.users; index += 1) {
      const asks = this.between(ASKS.least, ASKS.most);
      for (let asked = 0; asked < asks; asked += 1) this.connect(index, this.someone(index));
    }
    for (const hub of this.hubIndexes()) {
      while ((this.knows[hub]?.size ?? 0) < options.hubConnections) this.connect(hub, this.someone(hub));
    }
  }

  /** Those with many connections. */
  get hubs(): { _id: ObjectId; email: string }[] {
    return this.hubIndexes().flatMap((index) => {
      const _id = this.ids[index];
      return _id ? [{ _id, email: emailOf(index) }] : [];
    });
  }

  get connections(): number {
    return this.knows.reduce((sum, { size }) => sum + size, 0) / 2;
  }

  /** Inserts everyone and their connections; indexes are better made afterwards, all at once. */
  async write(db: Db): Promise<void> {
    await insert(db, 'users', this.users());
    await insert(db, connectionCollection.name, this.ties());
  }

  private *users(): Generator<Document> {
    for (const [index, _id] of this.ids.entries()) {
      const companies = this.between(0, 2);
      const profile = {
        name: `ليلى ${index} Haddad`,
        ...this.cohortOf(index),
        skills: this.some(this.between(2, 6), SKILLS, 'skill'),
        experience: this.some(companies, COMPANIES, 'Company').map((company) => ({
          company,
          position: 'Engineer',
          startDate: '2024-09',
        })),
      };
      const account = { email: emailOf(index), role: 'student', locale: index % 2 === 0 ? 'ar' : 'en' };
      const at = new Date(START);
      yield { _id, ...account, ...profile, keys: keysOf(profile), createdAt: at, updatedAt: at };
    }
  }

  private *ties(): Generator<Connection> {
    for (const [index, known] of this.knows.entries()) {
      for (const other of known) {
        const [low, high] = [this.ids[index], this.ids[other]];
        if (other < index || !low || !high) continue;
        const changedAt = new Date(START + Math.floor(this.random() * SPAN_MS));
        yield {
          _id: new ObjectId(),
          low,
          high,
          requesterId: low,
          status: 'accepted',
          createdAt: new Date(START),
          changedAt,
        };
      }
    }
  }

  /** Spread over everyone, and so over the cohorts. */
  private hubIndexes(): number[] {
    const { users, hubs } = this.options;
    return Array.from({ length: hubs }, (_, index) => Math.floor(((index + 0.5) * users) / hubs));
  }

  private connect(one: number, other: number): void {
    if (one === other) return;
    this.knows[one]?.add(other);
    this.knows[other]?.add(one);
  }

  /** Whom somebody comes to know: of their own cohort, of their department, or anyone. */
  private someone(index: number): number {
    const { users } = this.options;
    const chance = this.random();
    if (chance < 0.15) return this.between(0, users - 1);
    const [here, all] = [this.cohortAt(index), this.cohorts.length];
    const years = chance < 0.4 ? this.between(0, YEARS - 1) : here % YEARS;
    const cohort = here - (here % YEARS) + years;
    const rows = Math.floor((users - 1 - cohort) / all) + 1;
    return rows > 0 ? cohort + all * this.between(0, rows - 1) : index;
  }

  private cohortAt(index: number): number {
    return index % this.cohorts.length;
  }

  private cohortOf(index: number): Cohort {
    const cohort = this.cohorts[this.cohortAt(index)];
    if (!cohort) throw new Error('everyone is of a cohort');
    return cohort;
  }

  private some(count: number, of: number, word: string): string[] {
    return [...new Set(Array.from({ length: count }, () => `${word} ${this.between(1, of)}`))];
  }

  private between(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1));
  }
}

function emailOf(index: number): string {
  return `user-${index}@bench.example`;
}

async function insert<T extends Document>(db: Db, name: string, documents: Iterable<T>): Promise<void> {
  const collection = db.collection(name, { writeConcern: { w: 1 } });
  let batch: T[] = [];
  // The next batch is made while the last one is written.
  let written: Promise<unknown> = Promise.resolve();
  const flush = async (): Promise<void> => {
    await written;
    written = collection.insertMany(batch, { ordered: false });
    batch = [];
  };
  for (const document of documents) {
    batch.push(document);
    if (batch.length === BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  await written;
}
