import { setTimeout as sleep } from 'node:timers/promises';
import { type Document, MongoClient, MongoServerError } from 'mongodb';

/**
 * How long a replica set may take to have a writable primary once its members listen, in milliseconds. After a change
 * of port mongod alone may spend 30 s on asking the old one, if something silent holds it now.
 */
const PRIMARY_MS = 60_000;
const POLL_MS = 50;

const NOT_YET_INITIALIZED = 94;
const ALREADY_INITIALIZED = 23;

/** One member, addressed directly: the set as a whole may not exist yet. */
export function clientOf(port: number): MongoClient {
  return new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 10_000,
    // A hung mongod keeps its port open.
    socketTimeoutMS: 20_000,
  });
}

/**
 * Makes a replica set of the mongods on these ports, unless they are one, and waits until it takes writes.
 * Ports other than those it was made with are put into its settings.
 * @param journaled whether a set that is made acknowledges only what its journal has on the disk
 * @throws Error where it has no primary in time
 */
export async function prepareReplicaSet(setName: string, ports: readonly number[], journaled = true): Promise<void> {
  const clients = ports.map(clientOf);
  try {
    await Promise.all(clients.map((client) => client.connect()));
    const [first] = clients;
    if (first) await configure(first, setName, ports, journaled);
    await writablePrimary(clients);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

/** Whether the mongod on this port answers a command, and as a writable primary. */
export async function answers(port: number): Promise<boolean> {
  const client = clientOf(port);
  try {
    return (await hello(client))['isWritablePrimary'] === true;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

async function configure(
  client: MongoClient,
  setName: string,
  ports: readonly number[],
  journaled: boolean,
): Promise<void> {
  const wanted = ports.map((port) => `127.0.0.1:${port}`);
  // What is stored, rather than what the member says: right after the start it has not read its own settings yet.
  const stored = await client
    .db('local')
    .collection('system.replset')
    .findOne({}, { readPreference: 'primaryPreferred' });
  if (!stored) {
    const members = wanted.map((host, _id) => ({ _id, host }));
    const settings = settingsFor(ports.length);
    const set = { _id: setName, members, settings, writeConcernMajorityJournalDefault: journaled };
    await retried(client, { replSetInitiate: set }, ALREADY_INITIALIZED);
    return;
  }
  const members = (stored['members'] as Document[]).map((member, at) => ({ ...member, host: wanted[at] }));
  if ((stored['members'] as Document[]).every((member, at) => member['host'] === wanted[at])) return;
  // Forced, because a member that does not find itself in the settings has no primary to ask.
  const version = Number(stored['version']) + 1;
  await retried(client, { replSetReconfig: { ...stored, version, members }, force: true });
}

/** A lone member need not wait for others; several on a busy machine must not take slowness for death. */
function settingsFor(members: number): Document {
  if (members === 1) return { electionTimeoutMillis: 1_000 };
  return { electionTimeoutMillis: 3_000, heartbeatIntervalMillis: 500 };
}

/** Runs an admin command until the member has read its settings. */
async function retried(client: MongoClient, command: Document, harmless?: number): Promise<void> {
  const end = Date.now() + PRIMARY_MS;
  for (;;) {
    try {
      await client.db('admin').command(command);
      return;
    } catch (error) {
      const code = error instanceof MongoServerError ? error.code : undefined;
      if (code !== undefined && code === harmless) return;
      if (code !== NOT_YET_INITIALIZED || Date.now() > end) throw error;
      await sleep(POLL_MS);
    }
  }
}

async function writablePrimary(clients: readonly MongoClient[]): Promise<void> {
  const end = Date.now() + PRIMARY_MS;
  for (;;) {
    const states = await Promise.all(clients.map(hello));
    const primaries = states.filter((state) => state['isWritablePrimary'] === true).length;
    const secondaries = states.filter((state) => state['secondary'] === true).length;
    if (primaries === 1 && secondaries === clients.length - 1) return;
    if (Date.now() > end) {
      const seen = JSON.stringify(states);
      throw new Error(`the replica set has no writable primary after ${PRIMARY_MS / 1000} s: ${seen}`);
    }
    await sleep(POLL_MS);
  }
}

function hello(client: MongoClient): Promise<Document> {
  return client.db('admin').command({ hello: 1 });
}
