import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { isAlive } from '../../src/core/database/embedded/cache.js';
import { findMongod } from '../../src/core/database/embedded/find-mongod.js';
import { type EmbeddedDatabase, startEmbedded } from '../../src/core/database/embedded/index.js';
import { startKept } from '../../src/core/database/embedded/kept.js';
import { spawnMongod } from '../../src/core/database/embedded/mongod-process.js';
import { isPortFree } from '../../src/core/database/embedded/ports.js';
import { startThrowaway } from '../../src/core/database/embedded/throwaway.js';
import { checkSha256 } from '../../src/core/database/embedded/wine-mongod.js';
import { createLog } from '../../src/core/observability/log.js';
import { until } from '../support/until.js';
import { childEnvironment } from '../support/child-environment.js';
import { compiled } from '../support/compiled.js';

const log = createLog('silent');
const start = (dataDir?: string): Promise<EmbeddedDatabase> =>
  startEmbedded({ log, fallbackAllowed: true, ...(dataDir === undefined ? {} : { dataDir }) });

async function withClient<T>(uri: string, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri, { writeConcern: { w: 'majority' }, serverSelectionTimeoutMS: 5_000 });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Another process that owns a kept and a throwaway database, as a server that is about to be killed does. */
async function startOwner(dataDir: string) {
  const [module, log] = ['src/core/database/embedded/index.ts', 'src/core/observability/log.ts'].map(
    (source) => pathToFileURL(compiled(source)).href,
  );
  const code = `
    const { startEmbedded } = await import('${module}');
    const { createLog } = await import('${log}');
    const common = { log: createLog('silent'), fallbackAllowed: true };
    const both = await Promise.all([startEmbedded({ ...common, dataDir: process.argv[1] }), startEmbedded(common)]);
    process.stdout.write(JSON.stringify(both) + '\\n');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code, dataDir], {
    env: { ...process.env, ...childEnvironment() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string?];
  const [kept, throwaway] = JSON.parse(line ?? '[]') as [EmbeddedDatabase, EmbeddedDatabase];
  return { kept, throwaway, kill: () => (child.kill('SIGKILL'), once(child, 'exit')) };
}

describe('embedded database', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atrium-embedded-test-'));
  });

  after(() => rm(folder, { recursive: true, force: true }));

  async function fakeMongod(name: string, script: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  }

  describe('choice of mongod', () => {
    const official = () => Promise.resolve(undefined);

    it('prefers the one that is named over the one on the PATH', async () => {
      await fakeMongod('mongod', 'echo "db version v8.0.1"');
      const env = { PATH: folder, MONGOMS_SYSTEM_BINARY: await fakeMongod('named', 'echo "db version v7.0.9"') };
      expect((await findMongod({ log, fallbackAllowed: false, env, official })).version).to.equal('7.0.9');
      const unnamed = { PATH: folder };
      expect((await findMongod({ log, fallbackAllowed: false, env: unnamed, official })).version).to.equal('8.0.1');
    });

    it('refuses a named one that is too old rather than pass it over', async () => {
      const env = { MONGOMS_SYSTEM_BINARY: await fakeMongod('old', 'echo "db version v6.0.1"') };
      const error = await findMongod({ log, fallbackAllowed: true, env, official }).catch((reason: unknown) => reason);
      expect(String(error)).to.match(/MONGOMS_SYSTEM_BINARY names no mongod that can be used/);
      expect((error as Error).cause).to.match(/is mongod 6\.0\.1; 7\.0 or newer is needed/);
    });

    it('says what to do where there is none and the fallback is forbidden', async () => {
      const error = await findMongod({ log, fallbackAllowed: false, env: { PATH: '' }, official }).catch(String);
      expect(error).to.match(/ATRIUM_MONGOD_FALLBACK=off: set MONGODB_URI/);
    });

    it('refuses a program of another checksum', async () => {
      const path = join(folder, 'program');
      await writeFile(path, 'abc');
      await checkSha256(path, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
      expect(await checkSha256(path, '726304098e').catch(String)).to.match(/is refused: its sha256 is ba7816bf/);
    });
  });

  it('says why mongod did not start, in its own words', async () => {
    const path = await fakeMongod('broken', 'echo "out of luck"; exit 14');
    const binary = { path, version: '7.0.0', windows: false };
    const mongod = await spawnMongod({ binary, dbPath: join(folder, 'broken-db', 'db'), port: 1, setName: 'x', log });
    expect(await mongod.listening().catch(String)).to.match(/mongod ended with code 14\.[^]*out of luck/);
  });

  it('has transactions and change streams, and leaves nothing behind', async () => {
    const database = await start();
    await withClient(database.uri, async (client) => {
      const db = client.db();
      expect(db.databaseName).to.equal('atrium');
      const [rows, others] = [await db.createCollection('rows'), await db.createCollection('others')];
      const stream = rows.watch();
      const first = stream.next();
      // Sent when the stream is open, so that it cannot miss the write.
      await until(() => stream.resumeToken !== undefined);
      await client.withSession((session) =>
        session.withTransaction(async () => {
          await rows.insertOne({ text: 'hello' }, { session });
          await others.insertOne({ text: 'too' }, { session });
        }),
      );
      const event = await first;
      expect(event.operationType === 'insert' && event.fullDocument['text']).to.equal('hello');
      await stream.close();
    });
    await database.stop();
    expect(database.pids.map(isAlive)).to.deep.equal([false]);
  });

  it('comes back with its data where mongod ends by itself', async () => {
    const database = await start();
    const killed = database.pids[0]!;
    await withClient(database.uri, (client) => client.db().collection('rows').insertOne({ text: 'kept' }));
    process.kill(killed, 'SIGKILL');
    await until(() => database.pids[0] !== killed);
    const found = await until(
      () => withClient(database.uri, (client) => client.db().collection('rows').distinct('text')).catch(() => []),
      (texts) => texts.length > 0,
      60_000,
    );
    expect(found).to.deep.equal(['kept']);
    await database.stop();
    expect([killed, ...database.pids].map(isAlive)).to.deep.equal([false, false]);
  });

  for (const kind of ['throwaway', 'kept'] as const) {
    it(`takes another port where its own is lost before mongod listens (${kind})`, async () => {
      const real = await findMongod({ log, fallbackAllowed: true });
      const [asked, taken] = [join(folder, `${kind}-asked`), join(folder, `${kind}-taken`)];
      // The first time it waits until somebody else has the port, which is its fourth argument.
      const path = await fakeMongod(
        `${kind}-outrun`,
        `if [ ! -e ${asked} ]; then
           echo $4 >${asked}.new && mv ${asked}.new ${asked}
           until [ -e ${taken} ]; do sleep 0.05; done
         fi
         exec '${real.path}' "$@"`,
      );
      const common = { log, binary: { ...real, path } };
      const starting =
        kind === 'kept'
          ? startKept({ ...common, dataDir: join(folder, 'outrun') })
          : startThrowaway({ ...common, members: 1, journaled: false });
      const lost = Number(await until(() => readFile(asked, 'utf8').catch(() => '')));
      const squatter = createServer((socket) => socket.destroy()).listen(lost, '127.0.0.1');
      await once(squatter, 'listening');
      await writeFile(taken, '');

      const database = await starting;
      squatter.close();
      await withClient(database.uri, (client) => client.db().collection('rows').insertOne({ text: 'here' }));
      expect(Number(new URL(database.uri).port)).not.to.equal(lost);
      await database.stop();
      expect(database.pids.map(isAlive)).to.deep.equal([false]);
    });
  }

  it('keeps its data over a restart, a taken port and a killed owner', async () => {
    const dataDir = join(folder, 'kept');
    const first = await start(dataDir);
    const shared = await start(dataDir);
    expect(shared.pids).to.deep.equal(first.pids);
    await shared.stop();
    await withClient(shared.uri, (client) => client.db().collection('rows').insertOne({ from: 'first' }));
    await first.stop();

    const port = Number(new URL(first.uri).port);
    // Wine's server holds it for a moment after the process has gone.
    await until(() => isPortFree(port));
    // A silent one would cost mongod 30 s, because it asks whether that is itself.
    const squatter = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
    await once(squatter, 'listening');
    const owner = await startOwner(dataDir);
    squatter.close();
    expect(owner.kept.uri).not.to.equal(first.uri);
    await withClient(owner.kept.uri, (client) => client.db().collection('rows').insertOne({ from: 'second' }));
    await owner.kill();

    const last = await start(dataDir);
    expect(last.uri).to.equal(owner.kept.uri);
    expect(last.pids).not.to.deep.equal(owner.kept.pids);
    const found = await withClient(last.uri, (client) => client.db().collection('rows').distinct('from'));
    expect(found).to.deep.equal(['first', 'second']);
    await last.stop();
    await access(join(dataDir, 'db'));
    const pids = [...owner.throwaway.pids, ...owner.kept.pids, ...last.pids];
    expect(pids.map(isAlive)).to.deep.equal([false, false, false]);
  }).slow(40_000);
}).timeout(120_000);
