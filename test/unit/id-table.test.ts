import { expect } from 'chai';
import fc from 'fast-check';
import { ID_BYTES } from '../../src/modules/network/circle.model.js';
import { IdTable } from '../../src/modules/network/id-table.js';

/** Ids that differ in any of their bytes, and few enough to meet again. */
const id = fc
  .array(fc.constantFrom('00', '01', '7f', '80', 'ff'), { minLength: ID_BYTES, maxLength: ID_BYTES })
  .map((bytes) => bytes.join(''));

function viewOf(ids: string[]): DataView {
  const bytes = Uint8Array.from(Buffer.from(ids.join(''), 'hex'));
  return new DataView(bytes.buffer);
}

describe('A table of ids', () => {
  it('numbers different ids in the order in which they come, and finds those and no others', () => {
    fc.assert(
      fc.property(fc.array(id, { maxLength: 200 }), fc.array(id, { maxLength: 20 }), (ids, strangers) => {
        const [bytes, others] = [viewOf(ids), viewOf(strangers)];
        const table = new IdTable(ids.length);
        const different = [...new Set(ids)];
        for (const [index, each] of ids.entries()) {
          expect(table.add(bytes, index * ID_BYTES)).to.equal(different.indexOf(each));
        }
        for (const [number, each] of different.entries()) expect(table.idOf(number)).to.equal(each);
        for (const [index, each] of strangers.entries()) {
          expect(table.find(others, index * ID_BYTES)).to.equal(different.indexOf(each));
        }
      }),
    );
  });

  it('takes as many different ids as it was made for, though they were made one after another', () => {
    const ids = Array.from(
      { length: 5_000 },
      (_, index) => `65${(index >> 12).toString(16).padStart(6, '0')}0011223344${index.toString(16).padStart(6, '0')}`,
    );
    const bytes = viewOf(ids);
    const table = new IdTable(ids.length);
    for (const index of ids.keys()) expect(table.add(bytes, index * ID_BYTES)).to.equal(index);
    expect(table.idOf(4_999)).to.equal(ids[4_999]);
  });
});
