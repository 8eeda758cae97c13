import { expect } from 'chai';
import { SerialByKey } from '../../src/core/serial.js';

/** Work that says when it begins, and ends when the test says so. */
function works() {
  const serial = new SerialByKey();
  const begun: string[] = [];
  const start = (name: string, keys: string[]) => {
    let end = (): void => undefined;
    let fail = (_error: Error): void => undefined;
    const done = serial.runAll(keys, () => {
      begun.push(name);
      return new Promise<string>((resolve, reject) => {
        end = () => resolve(name);
        fail = reject;
      });
    });
    return { done, end: () => end(), fail: (error: Error) => fail(error) };
  };
  return { serial, begun, start };
}

/** All that can begin has begun. */
const settled = () => new Promise(setImmediate);

describe('Work on several keys', () => {
  it('waits for all earlier work that has any of them, and for nothing else', async () => {
    const { begun, start } = works();
    const first = start('first', ['a', 'b']);
    const second = start('second', ['b', 'c']);
    const third = start('third', ['c', 'a']);
    const other = start('other', ['d']);
    await settled();
    expect(begun).to.deep.equal(['first', 'other']);
    first.end();
    expect(await first.done).to.equal('first');
    await settled();
    expect(begun).to.deep.equal(['first', 'other', 'second']);
    second.end();
    await second.done;
    await settled();
    expect(begun).to.deep.equal(['first', 'other', 'second', 'third']);
    third.end();
    other.end();
    expect(await Promise.all([third.done, other.done])).to.deep.equal(['third', 'other']);
  });

  it('goes on after work that fails, which alone hears of it', async () => {
    const { begun, start, serial } = works();
    const first = start('first', ['a', 'b']);
    const second = start('second', ['b']);
    const one = serial.run('a', () => Promise.resolve('one'));
    await settled();
    expect(begun).to.deep.equal(['first']);
    first.fail(new Error('no luck'));
    const failure = await first.done.catch((error: unknown) => error);
    expect(failure).to.be.an('error').with.property('message', 'no luck');
    expect(await one).to.equal('one');
    await settled();
    expect(begun).to.deep.equal(['first', 'second']);
    second.end();
    expect(await second.done).to.equal('second');
  });
});
