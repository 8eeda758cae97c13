import { setTimeout as pause } from 'node:timers/promises';
import { type Db } from 'mongodb';
import { type Ledger, type PersonLedger } from '../ledger.js';
import { type Plan } from '../plan.js';
import { type Finding } from './finding.js';
import { verifyMessages } from './messages.js';
import { type HandedOver, verifyDeliveries, verifyInboxes } from './notifications.js';
import { verifyPosts } from './posts.js';
import { Reader } from './reader.js';

export { type Finding } from './finding.js';
export { verifyLeftovers } from './leftovers.js';
export { type HandedOver } from './notifications.js';

export interface VerifyOptions {
  ledger: Ledger;
  posts: Plan['posts'];
  urls: readonly string[];
  /** Where it can be looked into: what no client sees is verified, too. */
  db?: Db;
  /** What the providers have received, by channel, where they are ours. */
  handedOver?: () => HandedOver;
  /** How long it may take until all that follows on the last thing that was done has come to its end, in milliseconds. */
  patienceMs: number;
}

const LOOK_MS = 1_000;

/**
 * Holds the ledger against what the server has, as clients read it and as the database holds it. What follows on what
 * was done takes its time, so it looks again and again until everything is right, or the patience is at its end.
 */
export async function verify(options: VerifyOptions): Promise<Finding[]> {
  const end = performance.now() + options.patienceMs;
  for (;;) {
    const findings = await look(options);
    const isSettled = findings.every(({ wrong }) => wrong.length === 0);
    if (isSettled || performance.now() > end) return [...findings, answers(options.ledger.actions)];
    await pause(LOOK_MS);
  }
}

/** Signed in once, however often it is looked. */
const readers = new WeakMap<PersonLedger, Reader>();

async function look({ ledger: { people }, posts, urls, db, handedOver }: VerifyOptions): Promise<Finding[]> {
  const readerOf = (person: PersonLedger): Reader => {
    const reader = readers.get(person) ?? new Reader(person, urls);
    readers.set(person, reader);
    return reader;
  };
  return [
    ...(await verifyMessages(people, readerOf)),
    ...(await verifyPosts(people, posts, readerOf)),
    await verifyInboxes(people, readerOf),
    ...(db ? await verifyDeliveries(db, people, handedOver?.()) : []),
  ];
}

/** Whatever goes wrong, clients are told what they can do about it: an unexpected error is never an answer. */
function answers(actions: Ledger['actions']): Finding {
  const all = Object.entries(actions);
  const wrong = all.flatMap(([action, { attempts, unknown, refused }]) => [
    ...Object.entries(attempts).flatMap(([what, times]) =>
      what.startsWith('500') ? [`${action}: ${what}, ${times} times`] : [],
    ),
    ...(unknown > 0 ? [`${action}: ${unknown} were never answered`] : []),
    ...(refused > 0 ? [`${action}: ${refused} were refused, ${JSON.stringify(attempts)}`] : []),
  ]);
  const done = all.reduce((sum, [, { took }]) => sum + took.length, 0);
  const failed =
    all.reduce((sum, [, { attempts }]) => sum + Object.values(attempts).reduce((a, b) => a + b, 0), 0) - done;
  return { what: 'answers', found: `${done} things done, ${failed} attempts that were made again`, wrong };
}
