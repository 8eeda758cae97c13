import { type Document } from 'mongodb';
import { SmtpEdge } from '../../test/edge/index.js';
import { type Batches } from './batches.js';
import {
  AT_ONCE,
  CALLS,
  MAIL_CALLS,
  progress,
  publish,
  RAW_DOCUMENTS,
  REACTIONS_PER_SECOND,
  RECIPIENTS,
  ROUNDS,
  SECONDS,
  STEADY,
  WARM_UP_SECONDS,
} from './choices.js';
import { FloorHandOver } from './floor-hand-over.js';
import { HandOver, PER_CALL } from './hand-over.js';
import { Helper, processorMs } from './processes.js';
import { copyIndexes, insertRaw, RAW } from './raw-inserts.js';
import { type Latencies, Reactions } from './reactions.js';
import { compareLatencies, compareRates, latencyBelow, median } from './report.js';
import { type Stage } from './stage.js';

/** From a reaction to its author's socket, beside the same writes and one hop by the plain driver. */
export async function measureReactions(stage: Stage): Promise<void> {
  const reactions = await Reactions.prepare(stage);
  const relay = await Helper.start('floor-relay.ts', { MONGODB_URI: stage.uri });
  const writer = await Helper.start('floor-writer.ts', { MONGODB_URI: stage.uri });
  const floor = (seconds: number): Promise<Latencies> => writer.ask({ perSecond: REACTIONS_PER_SECOND, seconds });
  try {
    progress(`reactions, ${REACTIONS_PER_SECOND} a second: warming up`);
    await reactions.run(REACTIONS_PER_SECOND, WARM_UP_SECONDS);
    await floor(WARM_UP_SECONDS);
    const rounds = [];
    // In turns, so that whatever else the machine does falls on both.
    for (let number = 1; number <= ROUNDS; number += 1) {
      progress(`reactions, ${REACTIONS_PER_SECOND} a second: round ${number} of ${ROUNDS}`);
      rounds.push({ atrium: await reactions.run(REACTIONS_PER_SECOND, SECONDS), floor: await floor(SECONDS) });
    }
    publish(compareLatencies(`reaction to socket, ${REACTIONS_PER_SECOND} a second`, rounds, { mostRatio: 3 }));
  } finally {
    await Promise.all([writer.stop(), relay.stop()]);
  }
}

/** Notifications by the thousand, until every socket has heard of its own. */
export async function measureBatches(stage: Stage, batches: Batches): Promise<void> {
  progress(`notifications, ${RECIPIENTS} a call: warming up`);
  await batches.run(2, AT_ONCE);
  const like = await stage.db.collection('notifications').find({ type: 'SYSTEM' }).limit(RECIPIENTS).toArray();
  await copyIndexes(stage.db, { from: 'notifications', to: RAW.indexed });
  const raw = (name: string): Promise<number> =>
    insertRaw(stage.db, { name, like, count: RAW_DOCUMENTS, atOnce: AT_ONCE });
  await raw(RAW.bare);
  const rounds = [];
  for (let number = 1; number <= ROUNDS; number += 1) {
    progress(`notifications, ${RECIPIENTS} a call: round ${number} of ${ROUNDS}`);
    const { perSecond, overdue } = await batches.run(CALLS, AT_ONCE);
    const more = { 'with its indexes': Math.round(await raw(RAW.indexed)) };
    rounds.push({ atrium: perSecond, raw: await raw(RAW.bare), overdue, more });
  }
  publish(compareRates('notifications, written and shown', rounds, 0.2));
}

/** The same, until a mail server has taken all of them. */
export async function measureMail(stage: Stage, batches: Batches): Promise<void> {
  const smtp = new SmtpEdge();
  await smtp.start();
  try {
    progress('mails by SMTP: the worker starts anew, with a mail server');
    await stage.startWorker({ SMTP_URL: smtp.url, MAIL_FROM: 'Atrium <no-reply@bench.example>' });
    await batches.runByMail(smtp, 1, 1);
    const rates = [];
    for (let number = 1; number <= ROUNDS; number += 1) {
      progress(`mails by SMTP: round ${number} of ${ROUNDS}`);
      rates.push(await batches.runByMail(smtp, MAIL_CALLS, AT_ONCE));
    }
    publish({
      measure: 'mails by SMTP, one local server',
      unit: '1/s',
      atrium: { median: Math.round(median(rates.map(({ perSecond }) => perSecond))) },
      overdue: rates.reduce((sum, { overdue }) => sum + overdue, 0),
    });
  } finally {
    await smtp.stop();
  }
}

/** Through to a provider, with one worker and with two; and how soon it has what is made at a steady rate. */
export async function measureProviders(stage: Stage): Promise<void> {
  progress('providers: the worker starts anew, with SendGrid');
  const handOver = await HandOver.prepare(stage);
  try {
    await handOver.rate(2, AT_ONCE);
    const { perSecond, perCall } = STEADY;
    progress(`providers: ${perSecond} notifications a second`);
    await handOver.latency(perSecond, perCall, WARM_UP_SECONDS);
    const { took, overdue } = await handOver.latency(perSecond, perCall, 2 * SECONDS);
    publish(latencyBelow(`creation to provider, ${perSecond} a second`, { took, overdue }, STEADY.mostMs));
    const like = await stage.db.collection('notifications').find({ type: 'SYSTEM' }).limit(RECIPIENTS).toArray();
    for (const workers of [1, 2]) {
      if (workers === 2) await stage.startSecondWorker(handOver.environment());
      const rounds = [];
      for (let number = 1; number <= ROUNDS; number += 1) {
        progress(`providers: ${workers} of 2 workers, round ${number} of ${ROUNDS}`);
        const atrium = await handOver.rate(CALLS, AT_ONCE);
        const raw = await insertRaw(stage.db, { name: RAW.bare, like, count: RAW_DOCUMENTS, atOnce: AT_ONCE });
        const { perSecond: rate, overdue: late, processorMs } = atrium;
        rounds.push({ atrium: rate, raw, overdue: late, ...(processorMs && { processorMs }) });
      }
      publish(
        compareRates(`notifications through to SendGrid, ${workers} worker${workers > 1 ? 's' : ''}`, rounds, 0.3),
      );
    }
    await measureFloor(stage, handOver, like);
  } finally {
    await handOver.end();
  }
}

/** What is written for it, with Atrium stopped: its raw is not slowed down by Atrium's change streams either. */
async function measureFloor(stage: Stage, handOver: HandOver, like: Document[]): Promise<void> {
  await stage.stopProcesses();
  const floor = await FloorHandOver.prepare(stage.db, handOver.recipientIds, PER_CALL);
  await floor.rate(2, AT_ONCE);
  const rounds = [];
  for (let number = 1; number <= ROUNDS; number += 1) {
    progress(`providers: the floor, round ${number} of ${ROUNDS}`);
    const before = await processorMs(stage.databasePids);
    const rate = await floor.rate(CALLS, AT_ONCE);
    const mongod = (await processorMs(stage.databasePids)) - before;
    const raw = await insertRaw(stage.db, { name: RAW.bare, like, count: RAW_DOCUMENTS, atOnce: AT_ONCE });
    rounds.push({ atrium: rate, raw, overdue: 0, processorMs: { mongod: mongod / (CALLS * PER_CALL) } });
  }
  publish(compareRates('the floor: what is written for them, by the driver alone', rounds, 0.3));
}
