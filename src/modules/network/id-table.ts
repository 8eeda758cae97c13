import { ID_BYTES } from './circle.model.js';

/** 32-bit words of an id. */
const WORDS = ID_BYTES / 4;
const FREE = 0;

/**
 * Numbers different ids in the order in which they come, from their bytes: an open-addressed table. To make a string of
 * each of the tens of thousands that one answer looks at, for a `Map`, takes several times as long.
 */
export class IdTable {
  /** Numbers plus one, so that a new table is free everywhere; at most half of it is taken. */
  private readonly slots: Int32Array;
  private readonly words: Uint32Array;
  private readonly unusedBits: number;
  private taken = 0;

  /** @param most how many ids can be added */
  constructor(most: number) {
    const bits = Math.ceil(Math.log2(2 * most + 2));
    this.unusedBits = 32 - bits;
    this.slots = new Int32Array(2 ** bits);
    this.words = new Uint32Array(most * WORDS);
  }

  /** How many different ones there are. */
  get size(): number {
    return this.taken;
  }

  /** The number of the id that stands at an offset, from 0 on; a new one if it has none yet. */
  add(bytes: DataView, offset: number): number {
    const slot = this.slotOf(bytes, offset);
    const number = (this.slots[slot] ?? FREE) - 1;
    if (number >= 0) return number;
    for (let word = 0; word < WORDS; word += 1) {
      this.words[this.taken * WORDS + word] = bytes.getUint32(offset + 4 * word);
    }
    this.taken += 1;
    this.slots[slot] = this.taken;
    return this.taken - 1;
  }

  /** The number of the id that stands at an offset; -1 if it was not added. */
  find(bytes: DataView, offset: number): number {
    return (this.slots[this.slotOf(bytes, offset)] ?? FREE) - 1;
  }

  /** The id with this number, in hexadecimal. */
  idOf(number: number): string {
    const bytes = Buffer.alloc(ID_BYTES);
    for (let word = 0; word < WORDS; word += 1) bytes.writeUInt32BE(this.words[number * WORDS + word] ?? 0, 4 * word);
    return bytes.toString('hex');
  }

  /** Where the id is, or the free slot where it belongs. */
  private slotOf(bytes: DataView, offset: number): number {
    const [first, second, third] = [bytes.getUint32(offset), bytes.getUint32(offset + 4), bytes.getUint32(offset + 8)];
    const { slots, words, unusedBits } = this;
    // The second it was made in and a counter tell most ids apart. Multiplying spreads them, best in the highest bits.
    let slot = Math.imul(Math.imul(first, 0x85ebca6b) ^ third, 0x9e3779b1) >>> unusedBits;
    for (;;) {
      const at = ((slots[slot] ?? FREE) - 1) * WORDS;
      if (at < 0) return slot;
      if (words[at] === first && words[at + 1] === second && words[at + 2] === third) return slot;
      slot = (slot + 1) % slots.length;
    }
  }
}
