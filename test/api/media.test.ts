import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { strToU8 } from 'fflate';
import { ObjectId } from 'mongodb';
import sharp from 'sharp';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { follow, image, office, pdf, unreadable, upload, uploaded } from '../support/media.js';
import { until } from '../support/until.js';
import { expectInvalid, expectProblem, NOBODY } from './helpers.js';

describe('Media', () => {
  let campus: Campus;
  let api: Api;
  let person: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
  });
  beforeEach(async () => {
    person = await api.register();
  });
  after(() => campus.close());

  const filesOf = async ({ id }: Person): Promise<string[]> => {
    try {
      const found = await readdir(join(campus.dataDir, 'files', id), { recursive: true, withFileTypes: true });
      return found.filter((entry) => entry.isFile()).map(({ name }) => name);
    } catch {
      return [];
    }
  };

  for (const format of ['jpeg', 'png', 'webp', 'gif'] as const) {
    it(`keep of a ${format} a WebP that fits into 1,200 pixels, and a small one`, async () => {
      const media = await uploaded(person, await image(format, 2_400, 1_000), { altText: 'المكتبة' });
      expect(media).to.include({ type: 'IMAGE', status: 'READY', width: 1_200, height: 500, altText: 'المكتبة' });
      expect(media).not.to.have.property('name');
      const [whole, small] = [await follow(person, media.url), await follow(person, media.thumbnailUrl)];
      for (const { response } of [whole, small]) expect(response.headers.get('content-type')).to.equal('image/webp');
      expect(await sharp(whole.body).metadata()).to.include({ format: 'webp', width: 1_200, height: 500 });
      expect(await sharp(small.body).metadata()).to.include({ format: 'webp', width: 300, height: 125 });
      expect(whole.body.length).to.equal(media.size);
    });
  }

  it('are never made larger, and lose what the file told and what hides behind the image', async () => {
    const exif = { IFD0: { Artist: 'Secret Person' }, IFD3: { GPSLatitude: '51/1 30/1 0/1', GPSLatitudeRef: 'N' } };
    const told = await sharp(await image('jpeg', 100, 60))
      .withExif(exif)
      .withMetadata({ orientation: 6, exif })
      .jpeg()
      .toBuffer();
    const file = Buffer.concat([told, office('docx'), Buffer.from('<script>alert(1)</script>')]);
    expect(file.includes('Secret Person')).to.equal(true);
    const media = await uploaded(person, file);
    // It stands upright.
    expect(media).to.include({ width: 60, height: 100 });
    for (const url of [media.url, media.thumbnailUrl] as string[]) {
      const { body } = await follow(person, url);
      for (const secret of ['Secret Person', '<script>', 'Content_Types'])
        expect(body.includes(secret)).to.equal(false);
      const { exif: kept, icc, xmp } = await sharp(body).metadata();
      expect([kept, icc, xmp]).to.deep.equal([undefined, undefined, undefined]);
    }
  });

  it('keep documents as they are, under a name that says what they are and nothing of folders', async () => {
    const types = {
      pdf: 'application/pdf',
      docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
    };
    const files = { pdf: pdf(), docx: office('docx'), pptx: office('pptx') };
    for (const [format, file] of Object.entries(files)) {
      const media = await uploaded(person, file, { type: 'DOCUMENT', name: `C:\\home\\سيرة ذاتية.${format}` });
      expect(media).to.include({ type: 'DOCUMENT', name: `سيرة ذاتية.${format}`, size: file.length });
      expect(media).not.to.have.any.keys('thumbnailUrl', 'width', 'height');
      const { response, body } = await follow(person, media.url);
      expect(body.equals(file)).to.equal(true);
      expect(response.headers.get('content-type')).to.equal(types[format as keyof typeof types]);
      const disposition = response.headers.get('content-disposition')!;
      expect(disposition).to.match(/^attachment; /);
      expect(disposition).to.include(`filename*=UTF-8''${encodeURIComponent(`سيرة ذاتية.${format}`)}`);
    }
    for (const [given, kept] of [
      ['../../etc/passwd', 'passwd.pdf'],
      ['invoice\u202Efdp.exe', 'invoicefdp.exe.pdf'],
      ['.pdf', 'document.pdf'],
      ['a'.repeat(150), `${'a'.repeat(100)}.pdf`],
    ] as const) {
      expect((await uploaded(person, pdf(), { type: 'DOCUMENT', name: given })).name).to.equal(kept);
    }
    expect((await filesOf(person)).filter((name) => name !== 'file')).to.deep.equal([]);
  });

  it('are told by their content, whatever they are called and said to be', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
    for (const file of [svg, pdf(), office('docx'), Buffer.from('no picture')]) {
      expectProblem(await upload(person, file, { name: 'photo.png' }), 415, 'UNSUPPORTED_IMAGE');
    }
    const html = Buffer.from('<html>%PDF-1.4 %%EOF</html>');
    const behindImage = Buffer.concat([await image('jpeg'), office('docx')]);
    for (const file of [html, await image(), behindImage, office('xlsx'), Buffer.from('PK\x03\x04 no archive')]) {
      const choices = { type: 'DOCUMENT', name: 'thesis.pdf' };
      expectProblem(await upload(person, file, choices), 415, 'UNSUPPORTED_DOCUMENT');
    }
    expect(await filesOf(person)).to.deep.equal([]);
    const ownerId = new ObjectId(person.id);
    expect(await campus.db.collection('media').countDocuments({ ownerId })).to.equal(0);
  });

  it('are refused where a document is more than a document, or damaged', async () => {
    const archive = office('docx');
    const bomb = Buffer.from(office('docx', { 'word/media/x': new Uint8Array(9) }));
    // The list says how large each part becomes; in the last of its entries, 24 bytes behind its start.
    bomb.writeUInt32LE(600 * 1_048_576, bomb.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1')) + 24);
    const macros = office('docx', { 'word/vbaProject.bin': strToU8('Auto_Open') });
    const noise = Buffer.from('#!/bin/sh\n');
    const cases = {
      'an archive behind a PDF': Buffer.concat([pdf(), archive]),
      'a PDF without an end': pdf().subarray(0, -20),
      macros: macros,
      'more than anyone should unpack': bomb,
      'something behind the parts': Buffer.concat([archive, noise]),
      'a second archive behind': Buffer.concat([archive, office('docx')]),
      'an archive without an end': archive.subarray(0, -30),
    };
    for (const [what, file] of Object.entries(cases)) {
      const answer = await upload(person, file, { type: 'DOCUMENT' });
      expect([answer.status, answer.body.code], what).to.deep.equal([422, 'DOCUMENT_UNREADABLE']);
    }
  });

  it('are refused when an image is damaged, or would unfold into too many pixels', async () => {
    for (const file of await unreadable()) {
      expect(file.length).to.be.lessThan(5 * 1_048_576);
      expectProblem(await upload(person, file), 422, 'IMAGE_UNREADABLE');
    }
    expect(await filesOf(person)).to.deep.equal([]);
  });

  it('are refused when too large', async () => {
    const large = (start: string, megabytes: number) =>
      Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(megabytes * 1_048_576)]);
    const png = large('\x89PNG\r\n\x1a\n', 10);
    for (const [file, type] of [
      [png, 'IMAGE'],
      [large('%PDF-1.4', 25), 'DOCUMENT'],
      [large('\x89PNG\r\n\x1a\n', 26), 'IMAGE'],
    ] as const) {
      expectProblem(await upload(person, file, { type }), 413, 'FILE_TOO_LARGE');
    }
    expect(await filesOf(person)).to.deep.equal([]);
  });

  it('need a form with one file, and nothing that is not asked for', async () => {
    const file = await image();
    expectInvalid(await upload(person, file, { type: 'VIDEO' }), 'body.type');
    expectInvalid(await upload(person, file, { altText: 'x'.repeat(501) }), 'body.altText');
    expectInvalid(await upload(person, file, { more: { ownerId: NOBODY } }), 'body.ownerId');
    expectProblem(await upload(person, file, { altText: 'x', more: { one: '1' } }), 400, 'MALFORMED_FORM');
    expectProblem(await upload(person, file, { altText: 'x'.repeat(5_000) }), 400, 'MALFORMED_FORM');
    expectProblem(await upload(person, Buffer.alloc(0)), 400, 'FILE_REQUIRED');
    expectProblem(await person.post('/media/upload', { file: 'x' }), 415, 'UNSUPPORTED_MEDIA_TYPE');
    expectProblem(await person.post('/media/upload'), 400, 'BODY_REQUIRED');
    const stranger = await fetch(`${api.url}/api/v1/media/upload`, { method: 'POST', body: new FormData() });
    expect(stranger.status).to.equal(401);
  });

  it('can be uploaded twenty times an hour, pictures of the profile among them', async () => {
    for (let i = 0; i < 20; i += 1) await upload(person, Buffer.from('nothing'));
    expectProblem(await upload(person, await image()), 429, 'RATE_LIMITED');
  });

  it('are one each where many are uploaded at once', async () => {
    const file = await image();
    const all = await Promise.all(Array.from({ length: 6 }, () => uploaded(person, file)));
    expect(new Set(all.map(({ id }) => id as string))).to.have.length(6);
    expect(await filesOf(person)).to.have.length(12);
    for (const { url } of all) expect((await follow(person, url)).response.status).to.equal(200);
  });

  it('are found and removed by their owner, and are nobody else’s', async () => {
    campus.clock.toNextMinute();
    const [media, stranger, admin] = [await uploaded(person), await api.register(), await api.admin()];
    const path = `/media/${media.id as string}`;
    expect((await person.get(path)).body).to.deep.equal(media);
    for (const other of [stranger, admin]) {
      expectProblem(await other.get(path), 404, 'MEDIA_NOT_FOUND');
      expectProblem(await other.delete(path), 404, 'MEDIA_NOT_FOUND');
    }
    expectProblem(await person.get(`/media/${NOBODY}`), 404, 'MEDIA_NOT_FOUND');
    expectInvalid(await person.get('/media/x'), 'params.id');
    const answers = await Promise.all(Array.from({ length: 4 }, () => person.delete(path)));
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([204, 404, 404, 404]);
    expectProblem(await person.get(path), 404, 'MEDIA_NOT_FOUND');
    expect((await follow(person, media.url)).response.status).to.equal(404);
    await until(async () => (await filesOf(person)).length === 0);
  });

  it('leave their files where their removal is handled a second time', async () => {
    const [kept, removed] = [await uploaded(person), await uploaded(person)];
    await person.delete(`/media/${removed.id as string}`);
    await until(async () => (await filesOf(person)).length === 2);
    await campus.stopNodes();
    await campus.forgetWhatWasHandled();
    api = await campus.startNode();
    person = person.on(api);
    const again = await uploaded(person);
    await person.delete(`/media/${again.id as string}`);
    await until(async () => (await filesOf(person)).length === 2);
    expect((await follow(person, kept.url)).response.status).to.equal(200);
  });
});
