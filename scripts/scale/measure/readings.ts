import { BSON, type Db, type Document, type Timestamp } from 'mongodb';

/** Everything that is counted, by name; differences of two are what happened between. */
export type Reading = Record<string, number>;

/** What clients ask of the database that changes nothing. */
const READS = ['find', 'aggregate', 'count', 'distinct'];
const WRITES = ['insert', 'update', 'delete', 'findAndModify', 'bulkWrite'];

/** Commands and bytes by the database's own account since it started. */
export async function databaseReading(db: Db): Promise<Reading> {
  const status = await db.admin().command({ serverStatus: 1 });
  const commands = (status['metrics'] as { commands: Record<string, { total?: number } | undefined> }).commands;
  const total = (names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (commands[name]?.total ?? 0), 0);
  const { bytesIn, bytesOut } = status['network'] as { bytesIn: number; bytesOut: number };
  return {
    reads: total(READS),
    writes: total(WRITES),
    getMores: total(['getMore']),
    commits: total(['commitTransaction']),
    databaseIn: bytesIn,
    databaseOut: bytesOut,
  };
}

/** One thing that a collection was told, and what it takes in the oplog. */
interface Written {
  inserts: number;
  updates: number;
  deletes: number;
  /** Of the inserted documents. */
  insertedBytes: number;
}

/** What was written to each collection, by the oplog, which every member of the set copies and every stream goes through. */
export class Oplog {
  readonly byCollection = new Map<string, Written>();
  entries = 0;
  bytes = 0;

  private constructor(private readonly database: string) {}

  static async between(db: Db, from: Timestamp, to: Timestamp): Promise<Oplog> {
    const oplog = new Oplog(db.databaseName);
    const rows = db.client
      .db('local')
      .collection('oplog.rs')
      .find({ ts: { $gt: from, $lte: to } });
    for await (const row of rows) {
      oplog.entries += 1;
      oplog.bytes += BSON.calculateObjectSize(row);
      oplog.add(row);
    }
    return oplog;
  }

  private add({ op, ns, o }: Document): void {
    if (op === 'c') {
      const { applyOps = [] } = o as { applyOps?: Document[] };
      for (const inner of applyOps) this.add(inner);
      return;
    }
    const [database, ...name] = String(ns).split('.');
    if (database !== this.database || !['i', 'u', 'd'].includes(String(op))) return;
    const collection = name.join('.');
    const written = this.byCollection.get(collection) ?? { inserts: 0, updates: 0, deletes: 0, insertedBytes: 0 };
    this.byCollection.set(collection, written);
    if (op === 'i') {
      written.inserts += 1;
      written.insertedBytes += BSON.calculateObjectSize(o as Document);
    } else if (op === 'u') written.updates += 1;
    else written.deletes += 1;
  }

  /** The same as a reading, to subtract what goes on anyway. */
  reading(): Reading {
    const documents = [...this.byCollection].flatMap(([name, { inserts, updates, deletes, insertedBytes }]) => [
      [`inserted ${name}`, inserts],
      [`bytes ${name}`, insertedBytes],
      [`updated ${name}`, updates],
      [`deleted ${name}`, deletes],
    ]);
    return { oplogEntries: this.entries, oplogBytes: this.bytes, ...(Object.fromEntries(documents) as Reading) };
  }
}

/** The newest moment that is in the oplog. */
export async function now(db: Db): Promise<Timestamp> {
  const [row] = await db.client.db('local').collection('oplog.rs').find().sort({ $natural: -1 }).limit(1).toArray();
  return row?.['ts'] as Timestamp;
}

/** What one has more than the other. */
export function difference(later: Reading, earlier: Reading): Reading {
  return Object.fromEntries(Object.entries(later).map(([name, value]) => [name, value - (earlier[name] ?? 0)]));
}
