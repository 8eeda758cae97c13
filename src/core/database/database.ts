import { SpanKind } from '@opentelemetry/api';
import { AsyncLocalStorage } from 'node:async_hooks';
import mongoose, { type ClientSession, type Connection } from 'mongoose';
import { type Collection, type Db, type Document, MongoClient, MongoErrorLabel } from 'mongodb';
import { part } from '../observability/tracing.js';
import { isConnectionLost } from './errors.js';
import { FailingConnection } from './failing-connection.js';
import { refuseStandalone } from './replica-set.js';

/** One process' connection to the replica set, and what the layers above may do with it. */
export interface Database {
  /** Where modules define their models. */
  readonly connection: Connection;
  /** The driver's database, for batches and pipelines that gain nothing from Mongoose. */
  readonly db: Db;
  /** A client of its own for change streams: each open stream holds a connection of the pool. */
  readonly streams: MongoClient;
  collection<T extends Document>(name: string): Collection<T>;
  /**
   * Runs `work` in one transaction, committed by a majority. Inside another `inTransaction` it joins that one.
   * The driver runs `work` again after a transient error, so it must not touch anything but the database.
   */
  inTransaction<T>(work: (session: ClientSession) => Promise<T>): Promise<T>;
  /**
   * Has something done as soon as the transaction that the caller is in is committed, and never where it is not. It must
   * be quick and must not throw, and nothing may depend on it: the process may end before.
   */
  afterCommit(task: () => void): void;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Connections for requests and jobs; change streams have their own pool. */
  maxPoolSize?: number;
  /** How long an operation waits for a primary before it fails, in milliseconds. */
  serverSelectionTimeoutMS?: number;
  /**
   * After so long without an answer, in milliseconds, a connection is given up: something between here and the server
   * has forgotten it, of which the kernel finds out much later. By default none is.
   */
  answerMs?: number;
}

// An unknown field in a filter must fail, not match everything; operators in values must not act as operators;
// models inside a transaction must join it without being told; every collection is made by migrations.
mongoose.set('strictQuery', 'throw');
mongoose.set('sanitizeFilter', true);
mongoose.set('transactionAsyncLocalStorage', true);
mongoose.set('autoCreate', false);
mongoose.set('autoIndex', false);

/**
 * The transaction that work is in, if any, and whose. There is one storage for all connections: each that was ever used
 * costs every promise of the process a little, also after its connection was closed.
 */
const current = new AsyncLocalStorage<Transaction>();

interface Transaction {
  connection: Connection;
  session: ClientSession;
  /** What is to be done once it is committed. */
  tasks: (() => void)[];
}

/** A transaction is one span, however many commands and attempts it takes. */
const TRANSACTION = { name: 'transaction', kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'mongodb' } };

/**
 * Connects to a replica set.
 * @throws Error where `uri` names a single server: change streams and transactions need a replica set
 */
export async function connectDatabase(uri: string, options: DatabaseOptions = {}): Promise<Database> {
  const clientOptions = {
    maxPoolSize: options.maxPoolSize ?? 50,
    serverSelectionTimeoutMS: options.serverSelectionTimeoutMS ?? 5_000,
    // A server that has fallen silent is given up after the sum of both, and what waits for its answer fails then.
    heartbeatFrequencyMS: 3_000,
    connectTimeoutMS: 5_000,
    connectionType: FailingConnection,
    writeConcern: { w: 'majority' as const },
    retryWrites: true,
    ignoreUndefined: true,
  };
  // Not for streams: one that continues far back may be silent while the server looks for what it is asked for.
  const requestOptions = { ...clientOptions, socketTimeoutMS: options.answerMs ?? 0, bufferCommands: false };
  const connection = await mongoose.createConnection(uri, requestOptions).asPromise();
  const db = connection.db as unknown as Db;
  const streams = new MongoClient(uri, { ...clientOptions, maxPoolSize: 10 });
  try {
    await refuseStandalone(db);
    await streams.connect();
  } catch (error) {
    await Promise.all([connection.close(), streams.close()]);
    throw error;
  }

  return {
    connection,
    db,
    streams,
    collection: (name) => db.collection(name),
    async inTransaction(work) {
      // Work on another database must not join it.
      const joined = current.getStore();
      if (joined?.connection === connection) return work(joined.session);
      let tasks: (() => void)[] = [];
      const result = await part(TRANSACTION, () =>
        connection.transaction((session) => {
          // Of an attempt that is made again nothing is left.
          tasks = [];
          return current.run({ connection, session, tasks }, () => work(session).catch(throwForRetry));
        }),
      );
      for (const task of tasks) task();
      return result;
    },
    afterCommit(task) {
      const joined = current.getStore();
      if (joined?.connection !== connection) throw new Error('there is no transaction to be committed');
      joined.tasks.push(task);
    },
    async close() {
      await Promise.all([connection.close(), streams.close()]);
    },
  };
}

/**
 * Where a lost connection has ended the work of a transaction, nothing of it is kept, and all of it may be done again. The
 * driver says so of the first error of a lost server alone, not of those that come after it.
 */
function throwForRetry(error: unknown): never {
  if (isConnectionLost(error)) error.addErrorLabel(MongoErrorLabel.TransientTransactionError);
  throw error;
}
