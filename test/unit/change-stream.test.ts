import { expect } from 'chai';
import { type CommandStartedEvent, type CommandSucceededEvent, MongoClient } from 'mongodb';
import { type OpenStream, open, streamOf } from '../../src/core/events/change-stream.js';
import { EventLab } from '../support/event-lab.js';
import { until } from '../support/until.js';

/** Answers that came sooner than this after they were asked for are quick, in milliseconds. */
const QUICK_MS = 10;
/** The reader rests where two answers came sooner than this after one another. */
const OFTEN_MS = 15;
/** It rests for five; timers of Node may be early by one. */
const REST_MS = 4;

/** When an answer was asked for, when it came and when the one before it had come, and when the next was asked for. */
interface Turn {
  askedAt: number;
  answeredAt: number;
  answeredBefore: number;
  nextAt: number;
}

describe('A reader of the change stream', () => {
  let lab: EventLab;
  let client: MongoClient;
  let stream: OpenStream;
  const turns: Turn[] = [];
  before(async () => {
    lab = await EventLab.open();
    client = await MongoClient.connect(lab.uri, { monitorCommands: true });
    let askedAt = 0;
    let answeredAt = 0;
    let answeredBefore = 0;
    client.on('commandStarted', ({ commandName }: CommandStartedEvent) => {
      if (commandName !== 'getMore') return;
      const now = performance.now();
      if (answeredAt > 0) {
        if (answeredBefore > 0) turns.push({ askedAt, answeredAt, answeredBefore, nextAt: now });
        answeredBefore = answeredAt;
      }
      [askedAt, answeredAt] = [now, 0];
    });
    client.on('commandSucceeded', ({ commandName, reply }: CommandSucceededEvent) => {
      const { cursor } = reply as { cursor?: { nextBatch?: unknown[] } };
      if (commandName === 'getMore' && (cursor?.nextBatch?.length ?? 0) > 0) answeredAt = performance.now();
    });
    stream = await open(streamOf({ ...lab.database, streams: client }), false);
  });
  after(async () => {
    await stream.close();
    await client.close();
    await lab.close();
  });

  it('rests before it asks again where answers come quickly, so that what is written meanwhile comes together', async () => {
    const heard: string[] = [];
    const reading = (async () => {
      for await (const batch of stream.batches(100, 60_000)) {
        heard.push(...batch.map(({ event }) => (event.data as { text: string }).text));
        if (heard.includes('the last')) break;
      }
    })();
    const quick = () => turns.filter(({ askedAt, answeredAt }) => answeredAt - askedAt < QUICK_MS);
    const said: string[] = [];
    await until(async () => {
      const more = Array.from({ length: 20 }, (_, index) => String(said.length + index));
      said.push(...more);
      await lab.note(...more);
      return quick().length >= 10;
    });
    // On a busy machine the reader may see an answer long after it came: two then lie apart for it, and it need not rest.
    for (const { answeredAt, answeredBefore, nextAt } of turns) {
      if (nextAt - answeredBefore < OFTEN_MS) expect(nextAt - answeredAt).to.be.at.least(REST_MS);
    }
    await lab.note('the last');
    await reading;
    expect(heard).to.deep.equal([...said, 'the last']);
  });
});
