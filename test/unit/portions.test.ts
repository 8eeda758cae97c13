import { expect } from 'chai';
import { inPortions } from '../../src/core/portions.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Is at work for so long, in milliseconds. */
async function work(ms: number): Promise<void> {
  const begun = performance.now();
  while (performance.now() - begun < ms) await new Promise(setImmediate);
}

describe('What is handled in portions', () => {
  /** Handles so many, ten at a time, each ten for so long, and answers with all that it does, rests as numbers. */
  async function doneWith(count: number, mostRestMs: number, takesMs: number): Promise<(number[] | number)[]> {
    const done: (number[] | number)[] = [];
    const rest = (ms: number): Promise<void> => {
      done.push(ms);
      return Promise.resolve();
    };
    await inPortions(numbers(count), { size: 10, mostRestMs, rest }, async (some) => {
      done.push(some);
      await work(takesMs);
    });
    return done;
  }

  it('goes one after the other, all of it, in its order, with rests in between that last so long at most', async () => {
    const [first, second, third] = [numbers(10), numbers(20).slice(10), numbers(25).slice(20)];
    expect(await doneWith(25, 10, 2)).to.deep.equal([first, 5, second, 5, third]);
  });

  it('leaves others far more time between two portions than one takes', async () => {
    const rests = (await doneWith(30, 60_000, 4)).filter((each) => typeof each === 'number');
    expect(rests).to.have.length(2);
    for (const rest of rests) expect(rest).to.be.at.least(8 * 4);
  });

  it('does not wait where it is one portion, or nothing', async () => {
    expect(await doneWith(10, 60_000, 1)).to.deep.equal([numbers(10)]);
    expect(await doneWith(0, 60_000, 1)).to.be.empty;
  });

  it('ends where a portion fails', async () => {
    let handled = 0;
    const handling = inPortions(numbers(30), { size: 10, mostRestMs: 0 }, () => {
      handled += 1;
      return handled === 2 ? Promise.reject(new Error('no more of this')) : Promise.resolve();
    });
    const error = await handling.then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error?.message).to.equal('no more of this');
    expect(handled).to.equal(2);
  });
});
