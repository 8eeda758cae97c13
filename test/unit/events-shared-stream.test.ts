import { expect } from 'chai';
import { EventLab } from '../support/event-lab.js';
import { until } from '../support/until.js';

describe('A consumer beside a feed in the same process', () => {
  let lab: EventLab;
  beforeEach(async () => {
    lab = await EventLab.open();
  });
  afterEach(() => lab.close());

  const many = (name: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${name} ${index}`);

  /** Makes a consumer share the feed's stream: it goes over where the two bring the same. Answers with what was noted. */
  const untilOneIsLeft = async (): Promise<string[]> => {
    const noted: string[] = [];
    do {
      noted.push(`to both ${noted.length}`);
      await lab.note(noted.at(-1)!);
      await lab.toldOf(noted.at(-1)!);
    } while ((await lab.openStreams()) > 1);
    return noted;
  };

  it('shares its stream once it has caught up, and handles everything once while it goes over to it', async () => {
    const feed = await lab.feed();
    const alone = lab.consume(undefined, { idleMs: 50 });
    await lab.note('known');
    await lab.toldOf('known');
    await until(async () => (await lab.row.findOne({ _id: 'lab' }))?.token);
    await alone.stop();
    await lab.note(...many('before', 20));
    lab.consume(undefined, { feed });
    await lab.note(...many('meanwhile', 30));
    const both = await untilOneIsLeft();
    await lab.note(...many('after', 20));
    const all = ['known', ...many('before', 20), ...many('meanwhile', 30), ...both, ...many('after', 20)];
    expect(await lab.toldOf('after 19')).to.deep.equal(all);
    await until(() => lab.counted.handled === all.length);
  });

  it('that is too slow reads a stream of its own again, and loses nothing', async () => {
    const feed = await lab.feed({ mostWaiting: 10 });
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    lab.consume((text) => (text === 'much 0' ? held : undefined), { feed });
    const both = await untilOneIsLeft();
    await lab.note(...many('much', 25));
    goOn();
    expect(await lab.toldOf('much 24')).to.deep.equal([...both, ...many('much', 25)]);
    await lab.logged('too slow for the feed');
  });

  it('goes on where it was when the feed has stopped', async () => {
    const feed = await lab.feed();
    lab.consume(undefined, { feed });
    const both = await untilOneIsLeft();
    await feed.stop();
    await lab.note('third');
    expect(await lab.toldOf('third')).to.deep.equal([...both, 'third']);
    expect(lab.counted.historyLost).to.equal(0);
  });
});
