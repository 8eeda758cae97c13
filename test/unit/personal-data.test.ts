import { expect } from 'chai';
import { strFromU8, unzipSync } from 'fflate';
import { collections } from '../../src/collections.js';
import {
  type ExportPart,
  exportedList,
  exportedObject,
  type PersonalData,
  unclaimed,
} from '../../src/core/personal-data.js';
import { archiveOf } from '../../src/modules/personal-data/archive.js';
import { allPersonalData, IMPERSONAL } from '../../src/personal-data.js';

describe('Personal data', () => {
  it('is answered for by a module for every collection, or the node does not start', () => {
    // Without any module everything of theirs is missing, and named.
    const complaint = () => allPersonalData([], { collection: () => ({}) } as never);
    expect(complaint).to.throw(/users.*posts.*notifications.*exports.*auditOrigins/);
    expect(unclaimed(['notes', 'users'], [{ collections: ['users'] }], [])).to.deep.equal(['notes']);
    expect(unclaimed(['notes', 'users'], [{ collections: ['users'] }], ['notes'])).to.deep.equal([]);
  });

  it('is said to be missing only of collections that there are, with a reason', () => {
    expect(collections.map(({ name }) => name)).to.include.members(Object.keys(IMPERSONAL));
    for (const reason of Object.values(IMPERSONAL)) expect(reason).to.have.length.greaterThan(10);
  });
});

describe('The archive of an export', () => {
  const contributor = (parts: () => AsyncIterable<ExportPart>): PersonalData => ({
    name: 'test',
    collections: [],
    export: parts,
    erase: () => Promise.resolve(),
  });
  const read = (archive: Buffer): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(unzipSync(archive)).map(([name, content]) => [
        name,
        name.endsWith('.json') ? JSON.parse(strFromU8(content)) : content.length,
      ]),
    );

  it('holds lists of any length, objects and files, in any script', async () => {
    const many = Array.from({ length: 20_000 }, (_, n) => ({ n, text: `سطر ${n} “quoted”\n` }));
    const archive = await archiveOf(
      'someone',
      [
        contributor(async function* () {
          yield* exportedList('many', many, (each) => each);
          yield* exportedList('none', [], () => ({}));
          yield exportedObject('one', { name: 'ليلى' });
        }),
        contributor(async function* () {
          yield await Promise.resolve({ file: 'pictures/a.webp', content: Buffer.alloc(5_000, 7) });
        }),
      ],
      new Date('2026-11-21T10:00:00Z'),
    );
    expect(read(archive)).to.deep.equal({
      'many.json': many,
      'none.json': [],
      'one.json': { name: 'ليلى' },
      'pictures/a.webp': 5_000,
    });
  });

  it('refuses two parts of one name, of which one would be lost', async () => {
    const twice = [1, 2].map(() => contributor(() => exportedList('posts', [], () => ({}))));
    const refused = await archiveOf('someone', twice, new Date()).catch((error: unknown) => String(error));
    expect(refused).to.equal('Error: two parts of an export are called posts.json');
  });
});
