import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type Socket } from 'node:net';
import { MongoClient } from 'mongodb';
import { TcpProxy } from '../../scripts/failure/tcp-proxy.js';
import { connectDatabase, type Database } from '../../src/core/database/database.js';
import { isDatabaseUnavailable } from '../../src/core/database/errors.js';
import { freePort } from '../../src/core/database/embedded/ports.js';
import { newDatabase, serverUri } from '../support/databases.js';
import { until } from '../support/until.js';

/** More than the buffers of the kernel hold, on both sides of the proxy. */
const MUCH = 15_000_000;
const everyone = (): boolean => true;

describe('A connection to the database that is lost', function () {
  this.timeout(60_000);

  let server: MongoClient;
  let proxy: TcpProxy;
  let database: Database;
  const sockets = new Set<Socket>();
  const seen = (message: unknown): unknown => sockets.add((message as { socket: Socket }).socket);
  beforeEach(async () => {
    server = await MongoClient.connect(serverUri());
    const { port } = new URL(serverUri());
    proxy = await TcpProxy.start(await freePort(), Number(port));
    subscribe('net.client.socket', seen);
    // One connection is all that the commands of a test have.
    const options = { maxPoolSize: 1, serverSelectionTimeoutMS: 20_000 };
    database = await connectDatabase(
      `mongodb://127.0.0.1:${proxy.port}/${newDatabase()}?directConnection=true`,
      options,
    );
    await database.collection('things').insertOne({ name: 'first' });
  });
  afterEach(async () => {
    unsubscribe('net.client.socket', seen);
    sockets.clear();
    await server.db(database.db.databaseName).dropDatabase();
    await database.close();
    await proxy.stop();
    await server.close();
  });

  function stored(): Promise<string[]> {
    return server.db(database.db.databaseName).collection('things').distinct('name');
  }

  it('in the middle of a write that the server does not take: it is made on another one', async () => {
    proxy.begin({ kind: 'silent' }, everyone);
    const writing = database.collection('things').insertMany([{ name: 'big', bytes: Buffer.alloc(MUCH) }]);
    await once(database.connection.getClient(), 'connectionPoolCleared');
    proxy.heal();
    expect(await writing).to.include({ insertedCount: 1 });
    expect(await stored()).to.have.members(['first', 'big']);
  });

  it('in the middle of a transaction: nothing of it is kept, and whoever asked for it may try again', async () => {
    const attempt = async (): Promise<void> =>
      database.inTransaction(async (session) => {
        await database.collection('things').insertOne({ name: 'small' }, { session });
        proxy.begin({ kind: 'silent' }, everyone);
        await database.collection('things').insertOne({ name: 'big', bytes: Buffer.alloc(MUCH) }, { session });
      });
    const outcome = attempt().catch((error: unknown) => error);
    await once(database.connection.getClient(), 'connectionPoolCleared');
    proxy.heal();
    expect(isDatabaseUnavailable(await outcome)).to.equal(true);
    expect(await stored()).to.deep.equal(['first']);
  });

  it('just before a write: it is made on another one', async () => {
    const used = await until(
      () => [...sockets].filter(({ bytesWritten, remotePort }) => bytesWritten > 0 && remotePort === proxy.port),
      (found) => found.length > 0,
    );
    // Whichever is told first of its end asks for the write: the driver has not closed the connection yet.
    const writing = Promise.race(
      used.map(async (socket) => {
        await new Promise<void>((resolve) => socket.once('end', resolve));
        return database.collection('things').insertMany([{ name: 'late' }]);
      }),
    );
    proxy.begin({ kind: 'cut' }, everyone);
    proxy.heal();
    await writing;
    expect(await stored()).to.have.members(['first', 'late']);
  });
});
