import { expect } from 'chai';
import { type ChangeStream } from 'mongodb';
import { type DomainEvent } from '../../src/core/events/event.js';
import { type Feed } from '../../src/core/events/feed.js';
import { EventLab } from '../support/event-lab.js';
import { until } from '../support/until.js';

describe('The feed', () => {
  let lab: EventLab;
  beforeEach(async () => {
    lab = await EventLab.open();
  });
  afterEach(() => lab.close());

  /** Everything a subscriber hears: texts of notes, other kinds by name, gaps as `gap`. */
  function listenTo(feed: Feed, onGap: () => void = () => undefined): string[] {
    const heard: string[] = [];
    feed.subscribe({
      onEvents: (events: DomainEvent[]) => {
        for (const { type, data } of events) heard.push((data as { text?: string }).text ?? type);
      },
      onGap: () => {
        heard.push('gap');
        onGap();
      },
    });
    return heard;
  }

  /** The stream ends as after an outage that is longer than the driver’s patience. */
  async function breakStream(feed: Feed): Promise<void> {
    await (Reflect.get(feed, 'stream') as ChangeStream).close();
  }

  it('brings what is committed, and nothing of what is not', async () => {
    const heard = listenTo(await lab.feed());
    await lab.database
      .inTransaction(async () => {
        await lab.note('never was');
        throw new Error('changed my mind');
      })
      .catch(() => undefined);
    await lab.note('one', 'two');
    await until(() => heard.includes('two'));
    expect(heard).to.deep.equal(['one', 'two']);
  });

  it('makes a heartbeat out of silence, and none while others speak', async () => {
    const feed = await lab.feed({ heartbeatMs: 300 });
    const heard = listenTo(feed);
    await until(() => heard.length >= 3);
    expect(heard.every((each) => each === 'system.heartbeat')).to.equal(true);
    await until(() => feed.silenceMs < 1_000);
  });

  it('knows how long it has heard nothing', async () => {
    const feed = await lab.feed({ heartbeatMs: 60_000 });
    await until(() => feed.silenceMs > 300);
    await lab.note('at last');
    await until(() => feed.silenceMs < 300);
  });

  it('goes on for others when a subscriber fails', async () => {
    const feed = await lab.feed();
    feed.subscribe({
      onEvents: () => {
        throw new Error('clumsy');
      },
    });
    const heard = listenTo(feed);
    await lab.note('one');
    await until(() => heard.includes('one'));
    await lab.logged('a subscriber failed');
  });

  it('whose stream breaks before the first event misses nothing', async () => {
    const feed = await lab.feed({ heartbeatMs: 60_000 });
    const heard = listenTo(feed);
    await breakStream(feed);
    await lab.note('in between', 'afterwards');
    await until(() => heard.includes('afterwards'));
    expect(heard).to.deep.equal(['in between', 'afterwards']);
  });

  it('whose history is lost says that there is a gap, once it hears again, and goes on from then', async () => {
    const feed = await lab.feed({ heartbeatMs: 60_000 });
    let noted: Promise<void> | undefined;
    const heard = listenTo(feed, () => {
      noted = lab.note('read anew at the gap');
    });
    await lab.note('before');
    await until(() => heard.includes('before'));

    Reflect.set(feed, 'token', { _data: 'garbage' });
    await breakStream(feed);
    await until(() => heard.includes('read anew at the gap'));
    await noted;
    await lab.note('after');
    await until(() => heard.includes('after'));
    expect(heard).to.deep.equal(['before', 'gap', 'read anew at the gap', 'after']);
    await lab.logged('the position is lost');
  });
});
