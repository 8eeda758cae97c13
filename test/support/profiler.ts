import { type Db, type Document } from 'mongodb';

/** A command as the server ran it. */
export interface Ran {
  /** What was done where: `query users`. */
  what: string;
  /** How documents were found, as in `IXSCAN { userId: 1 }`. */
  plan: string;
  /** How many were looked at. */
  examined: number;
  /** How many were answered with, changed or removed. */
  found: number;
  command: Document;
}

/** Room for thousands of commands. */
const ROOM_BYTES = 16 * 2 ** 20;
const FOUND = ['nreturned', 'nMatched', 'nModified', 'ndeleted'];

/** What the server writes down of every command on a test's database, with the plan that it really used. */
export class Profiler {
  private constructor(private readonly db: Db) {}

  static async start(db: Db): Promise<Profiler> {
    // The database may have been another test's, whose notes are too small or say what that has done.
    await db.command({ profile: 0 });
    await db.dropCollection('system.profile');
    await db.createCollection('system.profile', { capped: true, size: ROOM_BYTES });
    await db.command({ profile: 2 });
    return new Profiler(db);
  }

  /** Everything that looked for documents, but for change streams, which read the log of all writes. */
  async ran(): Promise<Ran[]> {
    const rows = await this.db
      .collection('system.profile')
      .find({ planSummary: { $type: 'string' }, ns: { $not: /\.system\./ } })
      .toArray();
    const all = new Map<unknown, Ran>();
    for (const [index, row] of rows.entries()) {
      const command = (row['originatingCommand'] ?? row['command']) as Document;
      if (JSON.stringify(command).includes('$changeStream')) continue;
      // What an answer of several batches has cost is known of all of them together.
      const key: unknown = row['cursorid'] ? String(row['cursorid']) : index;
      const before = all.get(key);
      all.set(key, {
        what: before?.what ?? `${String(row['op'])} ${String(row['ns']).slice(this.db.databaseName.length + 1)}`,
        plan: before?.plan ?? String(row['planSummary']),
        examined: (before?.examined ?? 0) + Number(row['docsExamined'] ?? 0),
        found: (before?.found ?? 0) + Math.max(...FOUND.map((field) => Number(row[field] ?? 0))),
        command: before?.command ?? command,
      });
    }
    return [...all.values()];
  }

  /** Its notes are left where they are, for the next one to remove. */
  async stop(): Promise<void> {
    await this.db.command({ profile: 0 });
  }
}
