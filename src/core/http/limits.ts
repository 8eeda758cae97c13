import { type Db } from 'mongodb';
import { RateLimiterMemory, RateLimiterMongo, RateLimiterRes } from 'rate-limiter-flexible';
import { type CollectionDefinition } from '../database/collections.js';
import { type Problem, tooManyRequests } from './problem.js';

/** At most so many points in so many seconds, counted per user, else per IP. */
export interface Limit {
  /** Limits of one name share their count. */
  readonly name: string;
  readonly points: number;
  readonly seconds: number;
}

/** Header fields by name. */
export type Headers = Readonly<Record<string, string>>;

/** Counts requests and failures for all nodes together. */
export interface Limiter {
  /** What this node already knows to be over its limit, without asking the database. */
  blocked(subject: string, limits: readonly Limit[]): Problem | undefined;
  /**
   * Counts a request by the global limit and by those given; answers the `RateLimit` headers.
   * @throws Problem 429
   */
  admit(subject: string, limits: readonly Limit[]): Promise<Headers>;
  /**
   * Takes one point. With `giveBack` after a success this counts failures only, and holds against many attempts
   * at once, which `check` and `penalise` do not.
   * @throws Problem 429
   */
  consume(key: string, limit: Limit): Promise<void>;
  giveBack(key: string, limit: Limit): Promise<void>;
  /** @throws Problem 429 where no point is left; takes none */
  check(key: string, limit: Limit): Promise<void>;
  /** Takes one point, whether there is one or not. */
  penalise(key: string, limit: Limit): Promise<void>;
}

export interface LimiterOptions {
  db: Db;
  /** Requests per minute by one user or address to all routes together; 0 turns this limit off. */
  globalPerMinute: number;
}

/** The counters. */
export const rateLimitCollection: CollectionDefinition = {
  name: 'rateLimits',
  indexes: [
    // Every count looks a key up; two first counts at once must meet in one document.
    { key: { key: 1 }, options: { unique: true } },
    // Counters of past windows go by themselves.
    { key: { expire: 1 }, options: { expireAfterSeconds: 0 } },
  ],
};

// A counter out of reach must not hold a request up: this node then counts for itself.
const PATIENCE_MS = 1_000;

// Public, but missing from the package's types.
interface RemembersBlocked {
  getInMemoryBlockMsBeforeExpire(prefixedKey: string): number;
}

interface Counter {
  shared: RateLimiterMongo & RemembersBlocked;
  own: RateLimiterMemory;
}

/** A limiter whose counters live in the database. Losing one in a failover is no harm, so they are written with `w: 1`. */
export function createLimiter({ db, globalPerMinute }: LimiterOptions): Limiter {
  const store = db.client.db(db.databaseName, { writeConcern: { w: 1 } });
  const gates = counters(store, true);
  const tallies = counters(store, false);
  const global: Limit[] = globalPerMinute > 0 ? [{ name: 'global', points: globalPerMinute, seconds: 60 }] : [];

  return {
    blocked(subject, limits) {
      for (const limit of [...global, ...limits]) {
        const ms = gates(limit).shared.getInMemoryBlockMsBeforeExpire(`${limit.name}:${subject}`);
        if (ms > 0) return overLimit(limit, ms);
      }
      return undefined;
    },
    async admit(subject, limits) {
      const all = [...global, ...limits];
      const left = await Promise.all(all.map((limit) => take(gates(limit), subject, limit)));
      return rateLimitHeaders(all.map((limit, index) => ({ limit, left: left[index] })));
    },
    async consume(key, limit) {
      await take(tallies(limit), key, limit);
    },
    async giveBack(key, limit) {
      await ask(tallies(limit), (counter) => counter.reward(key));
    },
    async check(key, limit) {
      const state = await ask(tallies(limit), (counter) => counter.get(key));
      if (state && state.consumedPoints >= limit.points) throw overLimit(limit, state.msBeforeNext);
    },
    async penalise(key, limit) {
      await ask(tallies(limit), (counter) => counter.penalty(key));
    },
  };
}

/**
 * One counter per limit, made when first used.
 * @param blocking whether a key without points is remembered in memory: right for requests, wrong where points
 *   can be given back
 */
function counters(store: Db, blocking: boolean): (limit: Limit) => Counter {
  const made = new Map<string, Counter>();
  return (limit) => {
    const id = `${limit.name}/${limit.points}/${limit.seconds}`;
    const counter = made.get(id) ?? createCounter(store, limit, blocking);
    made.set(id, counter);
    return counter;
  };
}

function createCounter(store: Db, { name, points, seconds }: Limit, blocking: boolean): Counter {
  const options = { keyPrefix: name, points, duration: seconds };
  const own = new RateLimiterMemory(options);
  const shared = new RateLimiterMongo({
    ...options,
    storeClient: store,
    tableName: rateLimitCollection.name,
    disableIndexesCreation: true,
    insuranceLimiter: own,
    ...(blocking && { inMemoryBlockOnConsumed: points }),
  }) as RateLimiterMongo & RemembersBlocked;
  return { shared, own };
}

async function take(counter: Counter, key: string, limit: Limit): Promise<RateLimiterRes> {
  try {
    return await ask(counter, (one) => one.consume(key));
  } catch (refusal) {
    throw refusal instanceof RateLimiterRes ? overLimit(limit, refusal.msBeforeNext) : refusal;
  }
}

/** Asks the shared counter, and this node's own one where the shared one takes too long. */
async function ask<T>(counter: Counter, work: (one: RateLimiterMongo | RateLimiterMemory) => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const impatient = new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => void work(counter.own).then(resolve, reject), PATIENCE_MS);
  });
  try {
    return await Promise.race([work(counter.shared), impatient]);
  } finally {
    clearTimeout(timer);
  }
}

function overLimit(limit: Limit, msBeforeNext: number): Problem {
  const seconds = Math.max(1, Math.ceil(msBeforeNext / 1_000));
  return tooManyRequests(seconds, {
    'RateLimit-Policy': policyField(limit),
    RateLimit: `"${limit.name}";r=0;t=${seconds}`,
  });
}

function rateLimitHeaders(states: readonly { limit: Limit; left: RateLimiterRes | undefined }[]): Headers {
  if (states.length === 0) return {};
  return {
    'RateLimit-Policy': states.map(({ limit }) => policyField(limit)).join(', '),
    RateLimit: states
      .map(({ limit, left }) => {
        const seconds = Math.ceil((left?.msBeforeNext ?? 0) / 1_000);
        return `"${limit.name}";r=${left?.remainingPoints ?? 0};t=${seconds}`;
      })
      .join(', '),
  };
}

function policyField({ name, points, seconds }: Limit): string {
  return `"${name}";q=${points};w=${seconds}`;
}
