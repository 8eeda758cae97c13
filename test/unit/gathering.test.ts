import { expect } from 'chai';
import { Gathering } from '../../src/core/gathering.js';

interface Write {
  items: string[];
  begunAt: number;
  finish(): void;
}

/** A gathering whose writes end when the test says so. */
function scene(options: { most: number; mostRestMs?: number }) {
  const writes: Write[] = [];
  let begun = (): void => undefined;
  const gathering = new Gathering<string, string>({
    mostWaiting: 100,
    ...options,
    write: (items) =>
      new Promise((resolve) => {
        const finish = () => resolve(items.map((value) => ({ status: 'fulfilled', value })));
        writes.push({ items, begunAt: performance.now(), finish });
        begun();
      }),
  });
  const nextWrite = () => new Promise<void>((resolve) => (begun = resolve));
  return { gathering, writes, nextWrite };
}

describe('What is written together', () => {
  it('does not wait where it comes alone, and else for the write that is under way', async () => {
    const { gathering, writes, nextWrite } = scene({ most: 10 });
    const first = gathering.add('a');
    expect(writes.map(({ items }) => items)).to.deep.equal([['a']]);
    const others = [gathering.add('b'), gathering.add('c')];
    const second = nextWrite();
    writes[0]!.finish();
    expect(await first).to.equal('a');
    await second;
    writes[1]!.finish();
    expect(await Promise.all(others)).to.deep.equal(['b', 'c']);
    expect(writes.map(({ items }) => items)).to.deep.equal([['a'], ['b', 'c']]);
  });

  it('is written after a rest, with what comes meanwhile', async () => {
    const { gathering, writes, nextWrite } = scene({ most: 10, mostRestMs: 1_000 });
    const first = gathering.add('a');
    const { begunAt } = writes[0]!;
    while (performance.now() - begunAt < 40) await new Promise(setImmediate);
    writes[0]!.finish();
    await first;
    const endedAt = performance.now();
    const second = nextWrite();
    const others = [gathering.add('b'), new Promise(setImmediate).then(() => gathering.add('c'))];
    await second;
    // Timers may be a millisecond early.
    expect(writes[1]!.begunAt - endedAt).to.be.at.least(35);
    writes[1]!.finish();
    expect(await Promise.all(others)).to.deep.equal(['b', 'c']);
    expect(writes[1]!.items).to.deep.equal(['b', 'c']);
  });

  it('does not rest where as many wait as are written at once', async () => {
    const { gathering, writes, nextWrite } = scene({ most: 2, mostRestMs: 60_000 });
    const items = ['a', 'b', 'c', 'd', 'e'];
    const all = items.map((item) => gathering.add(item));
    for (let at = 0; at < 2; at += 1) {
      const next = nextWrite();
      writes[at]!.finish();
      await next;
    }
    expect(writes.map((write) => write.items)).to.deep.equal([['a'], ['b', 'c'], ['d', 'e']]);
    writes[2]!.finish();
    expect(await Promise.all(all)).to.deep.equal(items);
  });
});
