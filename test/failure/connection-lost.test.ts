import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type Socket } from 'node:net';
import { type ClientSession, type Collection, MongoClient } from 'mongodb';
import { TcpProxy } from '../../scripts/failure/tcp-proxy.js';
import { connectDatabase, type Database, type DatabaseOptions } from '../../src/core/database/database.js';
import { freePort } from '../../src/core/database/embedded/ports.js';
import { newDatabase, serverUri } from '../support/databases.js';
import { until } from '../support/until.js';

interface Thing {
  name: string;
  changes?: number;
  bytes?: Buffer;
}

/** More than the buffers of the kernel hold, on both sides of the proxy. */
const MUCH = 15_000_000;
const MANY = 10;
const everyone = (): boolean => true;

describe('A connection to the database that is lost', function () {
  this.timeout(60_000);

  let server: MongoClient;
  let proxy: TcpProxy;
  let database: Database;
  let things: Collection<Thing>;
  const sockets = new Set<Socket>();
  const seen = (message: unknown): unknown => sockets.add((message as { socket: Socket }).socket);
  beforeEach(async () => {
    server = await MongoClient.connect(serverUri());
    proxy = await TcpProxy.start(await freePort(), Number(new URL(serverUri()).port));
    subscribe('net.client.socket', seen);
  });
  afterEach(async () => {
    unsubscribe('net.client.socket', seen);
    sockets.clear();
    await server.db(database.db.databaseName).dropDatabase();
    await database.close();
    await proxy.stop();
    await server.close();
  });

  /** Connects by way of the proxy, and leaves something in the database. */
  async function connect(maxPoolSize: number, options: DatabaseOptions = {}): Promise<void> {
    const uri = `mongodb://127.0.0.1:${proxy.port}/${newDatabase()}?directConnection=true`;
    database = await connectDatabase(uri, { maxPoolSize, serverSelectionTimeoutMS: 20_000, ...options });
    things = database.collection('things');
    await things.insertOne({ name: 'first' });
  }

  /** What the database holds, seen by another way. */
  function stored(): Promise<Thing[]> {
    return server.db(database.db.databaseName).collection<Thing>('things').find().toArray();
  }

  async function names(): Promise<string[]> {
    return (await stored()).map(({ name }) => name);
  }

  it('in the middle of a write that the server does not take: it is made on another one', async () => {
    await connect(1);
    proxy.begin({ kind: 'silent' }, everyone);
    const writing = things.insertMany([{ name: 'big', bytes: Buffer.alloc(MUCH) }]);
    await once(database.connection.getClient(), 'connectionPoolCleared');
    proxy.heal();
    expect(await writing).to.include({ insertedCount: 1 });
    expect(await names()).to.have.members(['first', 'big']);
  });

  it('in the middle of a transaction: all of it is done again', async () => {
    await connect(1);
    let attempts = 0;
    const writing = database.inTransaction(async (session) => {
      attempts += 1;
      await things.insertOne({ name: 'small' }, { session });
      if (attempts === 1) proxy.begin({ kind: 'silent' }, everyone);
      await things.insertMany([{ name: 'big', bytes: Buffer.alloc(MUCH) }], { session });
    });
    await once(database.connection.getClient(), 'connectionPoolCleared');
    proxy.heal();
    await writing;
    expect(attempts).to.equal(2);
    expect(await names()).to.have.members(['first', 'small', 'big']);
  });

  it('just before a write: it is made on another one', async () => {
    await connect(1);
    const socket = await socketOfCommands();
    const ended = once(socket, 'end');
    proxy.cut();
    await ended;
    // The driver has not closed it yet, and takes it for the write.
    await things.insertMany([{ name: 'late' }]);
    expect(await names()).to.have.members(['first', 'second', 'late']);
  });

  it('and that nobody is told of, while others are not: the write is made on another one', async () => {
    await connect(1, { answerMs: 500 });
    let isServerGivenUp = false;
    database.connection.getClient().once('connectionPoolCleared', () => (isServerGivenUp = true));
    proxy.begin({ kind: 'silent' }, everyone);
    proxy.begin({ kind: 'silent' }, () => false);
    await things.insertOne({ name: 'late' });
    expect(isServerGivenUp).to.equal(false);
    expect(await names()).to.have.members(['first', 'late']);
  });

  for (const made of ['before', 'after']) {
    it(`with many writes under way, which were made ${made} it was lost: each is made, and once`, async () => {
      const each = Array.from({ length: MANY }, (_, index) => index);
      await connect(2 * MANY);
      await things.insertMany(each.flatMap((at) => [{ name: `alone ${at}` }, { name: `together ${at}` }]));
      const change = (name: string, session?: ClientSession) =>
        things.updateOne({ name }, { $inc: { changes: 1 } }, session && { session });
      await useAllConnections(2 * MANY);

      // Slow, their answers are on their way; silent, they never arrive.
      proxy.begin(made === 'before' ? { kind: 'slow', ms: 300 } : { kind: 'silent' }, everyone);
      const sent = checkedOut(2 * MANY);
      const writing = Promise.all(
        each.flatMap((at) => [
          change(`alone ${at}`),
          database.inTransaction(async (session) => {
            await change(`together ${at}`, session);
            await change(`together ${at}`, session);
          }),
        ]),
      );
      await sent;
      if (made === 'before') await until(stored, (all) => all.some(({ changes }) => changes === 1));
      proxy.cut();
      proxy.heal();
      await writing;
      const changed = (await stored()).filter(({ changes }) => changes !== undefined);
      expect(changed.map(({ name, changes }) => `${name}: ${changes}`)).to.have.members(
        each.flatMap((at) => [`alone ${at}: 1`, `together ${at}: 2`]),
      );
    });
  }

  /** Lets a pool make as many connections as it may. */
  async function useAllConnections(count: number): Promise<void> {
    const used = new Set<unknown>();
    const use = ({ connectionId }: { connectionId: unknown }): unknown => used.add(connectionId);
    database.connection.getClient().on('connectionCheckedOut', use);
    proxy.begin({ kind: 'slow', ms: 20 }, everyone);
    while (used.size < count) await Promise.all(Array.from({ length: count }, () => things.findOne()));
    proxy.heal();
    database.connection.getClient().off('connectionCheckedOut', use);
  }

  /** Resolves once so many commands have got a connection. */
  function checkedOut(count: number): Promise<void> {
    return new Promise((resolve) => {
      let done = 0;
      database.connection.getClient().on('connectionCheckedOut', () => {
        done += 1;
        if (done === count) resolve();
      });
    });
  }

  /** The socket of the only connection that commands have: the one that a command is written to. */
  async function socketOfCommands(): Promise<Socket> {
    const before = new Map([...sockets].map((socket) => [socket, socket.bytesWritten]));
    await things.insertOne({ name: 'second', bytes: Buffer.alloc(10_000) });
    return [...sockets].find((socket) => socket.bytesWritten - (before.get(socket) ?? 0) > 10_000)!;
  }
});
