import { type Db, type Document } from 'mongodb';
import { type Finding } from './finding.js';

const CLAIM = { $type: 'string' };
const CHANNELS = ['email', 'webPush', 'mobilePush', 'sms'];
/** What somebody holds while they work, whatever it is. */
const HELD = {
  $or: [{ claim: CLAIM }, ...CHANNELS.map((channel) => ({ [`channels.${channel}.claim`]: CLAIM }))],
};
const AGENDA = 'agendaJobs';
/** The lock of a job that a killed worker ran or was about to run goes by itself, after so long for the hourly one. */
const LOCK_MS: Readonly<Record<string, number>> = { cleanup: 600_000 };
const SHORT_LOCK_MS = 30_000;
/** Emptied by whoever fills them. */
const PASSING = ['messageNews', 'deadEvents', 'deadJobs', 'conversationOnlookers', 'foregroundUsers', 'nodes'];

/** Whether nothing is left lying about once every process has stopped in good order. */
export async function verifyLeftovers(db: Db): Promise<Finding[]> {
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  const held: string[] = [];
  for (const name of names.filter((each) => !each.startsWith('system.'))) {
    const rows = await db.collection(name).find(HELD).limit(5).toArray();
    held.push(...rows.map(({ _id }) => `${name} ${String(_id)} is held by somebody who is gone`));
  }
  const locked = await db
    .collection(AGENDA)
    .find({ lockedAt: { $type: 'date' } })
    .toArray();
  for (const { ['name']: name, ['lockedAt']: at } of locked as Document[] as { name: string; lockedAt: Date }[]) {
    const lastsMs = LOCK_MS[name] ?? SHORT_LOCK_MS;
    if (Date.now() - at.getTime() > lastsMs) held.push(`the job ${name} has been locked since ${at.toISOString()}`);
  }
  const leases = await ownedLeases(db);
  const passing = await Promise.all(
    PASSING.filter((name) => names.includes(name)).map(async (name) => [name, await left(db, name)] as const),
  );
  const open = await openTransactions(db);
  return [
    {
      what: 'claims and locks',
      found: `none in ${names.length} collections, ${locked.length} that run out by themselves`,
      wrong: held,
    },
    { what: 'leases', found: 'all given back', wrong: leases },
    {
      what: 'what passes by',
      found: `nothing in ${passing.length} collections`,
      wrong: passing.flatMap(([name, rows]) => rows.map((row) => `${name} still has ${row}`)),
    },
    { what: 'open transactions', found: 'none', wrong: open },
  ];
}

async function ownedLeases(db: Db): Promise<string[]> {
  const rows = await Promise.all(
    ['consumers', 'migrations'].map((name) =>
      db
        .collection<{ _id: string; owner?: string | null }>(name)
        .find({ owner: { $type: 'string' } })
        .toArray(),
    ),
  );
  return rows.flat().map(({ _id, owner }) => `${_id} belongs to ${owner ?? ''}`);
}

/** Of nodes that died, those count that nobody has cleared up after. */
async function left(db: Db, name: string): Promise<string[]> {
  const filter = name === 'nodes' ? { isCleared: { $ne: true } } : {};
  const rows = await db.collection(name).find(filter).limit(5).toArray();
  return rows.map((row: Document) => JSON.stringify(row).slice(0, 300));
}

async function openTransactions(db: Db): Promise<string[]> {
  const open = await db.client
    .db('admin')
    .aggregate<{ appName?: string; transaction?: { timeOpenMicros?: unknown } }>([
      { $currentOp: { allUsers: true, idleSessions: true } },
      { $match: { 'transaction.parameters.txnNumber': { $exists: true } } },
    ])
    .toArray();
  return open.map(({ transaction }) => `a transaction has been open for ${String(transaction?.timeOpenMicros)} µs`);
}
