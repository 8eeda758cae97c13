import { expect } from 'chai';
import { EventLab } from '../support/event-lab.js';
import { until } from '../support/until.js';

interface Token {
  _data: string;
}

/** What can have become of a saved token: from a good one and one of another collection. */
const damages: [string, (token: Token, foreign: Token) => unknown][] = [
  ['is no token at all', () => ({ _data: 'garbage' })],
  ['is empty', () => ({ _data: '' })],
  ['has lost its content', () => ({})],
  ['is a number', () => ({ _data: 5 })],
  ['is a string', ({ _data }) => _data],
  ['is cut off', ({ _data }) => ({ _data: _data.slice(0, 40) })],
  ['has a wrong byte', ({ _data }) => ({ _data: `${_data.slice(0, 30)}ff${_data.slice(32)}` })],
  ['is that of another collection', (_token, foreign) => foreign],
  // The first bytes of a token are the time of its event: here the beginning of 1970.
  ['is older than the server’s history', ({ _data }) => ({ _data: `820000000100000001${_data.slice(18)}` })],
];

describe('A consumer whose history is lost', () => {
  let lab: EventLab;
  beforeEach(async () => {
    lab = await EventLab.open();
  });
  afterEach(() => lab.close());

  /** Puts another token in place of the one that a consumer saved. */
  async function damage(change: (token: Token, foreign: Token) => unknown): Promise<void> {
    const token = await saveToken();
    await lab.row.updateOne({ _id: 'lab' }, { $set: { token: change(token as Token, await foreignToken()) } });
  }

  /** Lets a consumer handle events and stop; answers with the token that it saved. */
  async function saveToken(): Promise<unknown> {
    const consumer = lab.consume();
    await lab.note('handled');
    await lab.toldOf('handled');
    // What a new consumer reads from the collection leaves no token; the first event of its stream does.
    await until(async () => {
      await lab.note('handled');
      return (await lab.row.findOne({ _id: 'lab' }))?.token;
    });
    await consumer.stop();
    return (await lab.row.findOne({ _id: 'lab' }))!.token;
  }

  async function foreignToken(): Promise<Token> {
    const stream = lab.database.collection('told').watch();
    await stream.tryNext();
    await lab.database.collection('told').insertOne({ text: 'handled' });
    const { _id } = await stream.next();
    await stream.close();
    return _id as Token;
  }

  for (const [what, change] of damages) {
    it(`because its token ${what} catches up from the collection, says so, and goes on from there`, async () => {
      await damage(change);
      await lab.note('missed', 'missed too');

      const consumer = lab.consume();
      await lab.toldOf('missed too');
      await lab.note('live');
      await lab.toldOf('live');
      expect((await lab.told()).slice(-3)).to.deep.equal(['missed', 'missed too', 'live']);
      expect(lab.counted.historyLost).to.equal(1);
      await lab.logged('history is lost at the saved position');

      await consumer.stop();
      lab.consume();
      await lab.note('next');
      await lab.toldOf('next');
      expect(lab.counted.historyLost, 'the new position is a good one').to.equal(1);
    });
  }

  it('misses nothing of what keeps coming while it catches up', async () => {
    await damage(() => ({ _data: 'garbage' }));
    const texts = Array.from({ length: 150 }, (_, index) => `note ${index}`);
    await lab.note(...texts.slice(0, 30));
    const writing = Promise.all(
      [0, 1, 2, 3].map((writer) => lab.note(...texts.slice(30).filter((_, index) => index % 4 === writer))),
    );
    lab.consume();
    await writing;
    // In any order: what was committed while the collection was read comes after it, down the stream.
    await until(
      () => lab.told(),
      (told) => texts.every((each) => told.includes(each)),
    );
    expect(lab.counted.historyLost).to.equal(1);
  });

  it('does not take another refusal of the server for lost history', async () => {
    const token = await saveToken();
    // There is no change stream on a view, with a token or without one.
    await lab.events.drop();
    await lab.database.db.createCollection('events', { viewOn: 'told', pipeline: [] });

    lab.consume();
    await lab.logged('starting over', 2);
    expect(lab.counted.historyLost).to.equal(0);
    expect((await until(() => lab.row.findOne({ _id: 'lab' })))!.token).to.deep.equal(token);
  });
});
