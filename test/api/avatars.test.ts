import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import { type Answer, type Json } from '../support/api.js';
import { type Api, Campus, type Person, WITHOUT_MAIL } from '../support/campus.js';
import { image, unreadable } from '../support/media.js';
import { until } from '../support/until.js';
import { expectProblem, NOBODY } from './helpers.js';

type Kind = 'avatar' | 'banner';

describe('Avatars and banners', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_MAIL);
    api = await campus.startNode();
  });
  after(() => campus.close());

  const upload = async (person: Person, kind: Kind, file: Uint8Array, field = 'file'): Promise<Answer<Json>> => {
    const form = new FormData();
    form.append(field, new Blob([file]), '../../etc/passwd');
    const response = await fetch(`${api.url}/api/v1/profiles/me/${kind}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${person.token}` },
      body: form,
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
  };
  const uploaded = async (person: Person, kind: Kind, file: Uint8Array): Promise<string> => {
    const { status, body } = await upload(person, kind, file);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body[`${kind}Url`];
  };
  const fetchPicture = async (url: string) => {
    const response = await fetch(`${api.url}${url}`);
    return { response, body: Buffer.from(await response.arrayBuffer()) };
  };
  const filesOf = async (person: Person): Promise<string[]> => {
    try {
      return await readdir(join(campus.dataDir, 'files', person.id));
    } catch {
      return [];
    }
  };

  for (const [kind, width, height] of [
    ['avatar', 400, 400],
    ['banner', 1_584, 396],
  ] as const) {
    for (const format of ['jpeg', 'png', 'webp'] as const) {
      it(`become a WebP of ${width} × ${height} from a ${format} (${kind})`, async () => {
        const person = await api.register();
        const { response, body } = await fetchPicture(await uploaded(person, kind, await image(format)));
        expect(response.status).to.equal(200);
        expect(response.headers.get('content-type')).to.equal('image/webp');
        expect(await sharp(body).metadata()).to.deep.include({ format: 'webp', width, height });
      });
    }
  }

  it('stand beside what someone wrote, and in the directory', async () => {
    const [person, other] = [await api.register({ name: 'Pictured' }), await api.register()];
    const avatarUrl = await uploaded(person, 'avatar', await image('png'));
    expect((await other.get(`/posts/${await person.publish()}`)).body.author.avatarUrl).to.equal(avatarUrl);
    expect((await other.get('/users?q=pictured')).body.data[0].avatarUrl).to.equal(avatarUrl);
    expect((await other.get(`/profiles/${person.id}`)).body.avatarUrl).to.equal(avatarUrl);
  });

  it('may be kept for ever by whoever has them, and are never taken for anything but a picture', async () => {
    const url = await uploaded(await api.register(), 'avatar', await image('png'));
    const { response } = await fetchPicture(url);
    expect(response.headers.get('cache-control')).to.equal('public, max-age=31536000, immutable');
    expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
    expect(response.headers.get('cross-origin-resource-policy')).to.equal('cross-origin');
    expect(response.headers.get('etag')).to.be.a('string');
  });

  it('lose place, camera and everything else that the file told, but stand upright', async () => {
    const exif = { IFD0: { Artist: 'Secret Person' }, IFD3: { GPSLatitude: '51/1 30/1 0/1', GPSLatitudeRef: 'N' } };
    const left = await sharp({ create: { width: 400, height: 200, channels: 3, background: '#ff0000' } })
      .composite([
        { input: { create: { width: 200, height: 200, channels: 3, background: '#0000ff' } }, left: 200, top: 0 },
      ])
      .jpeg()
      .toBuffer();
    // Held by the side: the red half is on top once the camera's word is followed.
    const file = await sharp(left).withExif(exif).withMetadata({ orientation: 6, exif }).jpeg().toBuffer();
    expect(file.includes('Secret Person')).to.equal(true);
    const { body } = await fetchPicture(await uploaded(await api.register(), 'avatar', file));
    expect(body.includes('Secret Person')).to.equal(false);
    const { exif: kept, icc, xmp } = await sharp(body).metadata();
    expect([kept, icc, xmp]).to.deep.equal([undefined, undefined, undefined]);
    const [red = 0, , blue = 0] = await sharp(body)
      .extract({ left: 200, top: 20, width: 1, height: 1 })
      .raw()
      .toBuffer();
    expect(red).to.be.greaterThan(blue);
  });

  it('lose what hides behind the image, and all of an animation but its first image', async () => {
    const person = await api.register();
    const polyglot = Buffer.concat([await image('png'), Buffer.from('<script>alert(document.cookie)</script>')]);
    const { body } = await fetchPicture(await uploaded(person, 'avatar', polyglot));
    expect(body.includes('<script>')).to.equal(false);
    const frames = Buffer.alloc(64 * 128 * 3, 200).fill(20, 0, 64 * 64 * 3);
    const animated = await sharp(frames, { raw: { width: 64, height: 128, channels: 3, pageHeight: 64 } })
      .webp({ delay: [100, 100], loop: 0 })
      .toBuffer();
    expect((await sharp(animated).metadata()).pages).to.equal(2);
    const still = await fetchPicture(await uploaded(person, 'avatar', animated));
    expect((await sharp(still.body).metadata()).pages ?? 1).to.equal(1);
  });

  it('are told by their content, whatever they are called', async () => {
    const person = await api.register();
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
    const gif = await sharp(await image('png'))
      .gif()
      .toBuffer();
    for (const file of [svg, gif, Buffer.from('%PDF-1.7 hello'), Buffer.from('no picture')]) {
      expectProblem(await upload(person, 'avatar', file), 415, 'UNSUPPORTED_IMAGE');
    }
    expect(await filesOf(person)).to.deep.equal([]);
  });

  it('are refused when damaged, or when they would unfold into too many pixels', async () => {
    const person = await api.register();
    for (const file of await unreadable()) {
      expect(file.length).to.be.lessThan(5 * 1_048_576);
      expectProblem(await upload(person, 'avatar', file), 422, 'IMAGE_UNREADABLE');
    }
    expect((await person.get('/users/me')).body).to.not.have.property('avatarUrl');
    expect(await filesOf(person)).to.deep.equal([]);
  });

  it('are refused when too large, and when the form is none', async () => {
    const person = await api.register();
    const large = (size: number) => Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(size)]);
    expectProblem(await upload(person, 'avatar', large(5 * 1_048_576)), 413, 'FILE_TOO_LARGE');
    expectProblem(await upload(person, 'banner', large(10 * 1_048_576)), 413, 'FILE_TOO_LARGE');
    expectProblem(await upload(person, 'avatar', await image('png'), 'picture'), 400, 'MALFORMED_FORM');
    expectProblem(await upload(person, 'avatar', Buffer.alloc(0)), 400, 'FILE_REQUIRED');
    expectProblem(await person.put('/profiles/me/avatar', { file: 'x' }), 415, 'UNSUPPORTED_MEDIA_TYPE');
    expectProblem(await person.put('/profiles/me/avatar'), 400, 'BODY_REQUIRED');
    const cut = await person.put('/profiles/me/avatar', '--x\r\nContent-Disposition: form-data', {
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
    });
    expectProblem(cut, 400, 'MALFORMED_FORM');
  });

  it('leave when they are replaced or taken away, and the others stay', async () => {
    const person = await api.register();
    const banner = await uploaded(person, 'banner', await image('jpeg'));
    const first = await uploaded(person, 'avatar', await image('png'));
    // The same content again: a new name, so that clearing up after the first cannot take the second.
    const second = await uploaded(person, 'avatar', await image('png'));
    expect(second).to.not.equal(first);
    expect((await fetchPicture(first)).response.status).to.equal(404);
    expect((await fetchPicture(second)).response.status).to.equal(200);
    await until(
      () => filesOf(person),
      (names) => names.length === 2,
    );
    expect((await person.delete('/profiles/me/avatar')).body).to.not.have.property('avatarUrl');
    expect((await person.delete('/profiles/me/avatar')).status).to.equal(200);
    const names = await until(
      () => filesOf(person),
      (left) => left.length === 1,
    );
    expect(banner.endsWith(names[0]!)).to.equal(true);
    expect((await fetchPicture(banner)).response.status).to.equal(200);
  });

  it('leave one file each when many are set at once', async () => {
    const person = await api.register();
    const file = await image('png');
    await Promise.all(Array.from({ length: 6 }, () => uploaded(person, 'avatar', file)));
    const { avatarUrl } = (await person.get('/users/me')).body;
    const [only] = await until(
      () => filesOf(person),
      (names) => names.length === 1,
    );
    expect(avatarUrl.endsWith(only)).to.equal(true);
    expect((await fetchPicture(avatarUrl)).response.status).to.equal(200);
  });

  it('can be set twenty times an hour, avatar and banner together', async () => {
    const person = await api.register();
    for (let i = 0; i < 20; i += 1) await upload(person, i % 2 === 0 ? 'avatar' : 'banner', Buffer.from('nothing'));
    expectProblem(await upload(person, 'banner', await image('png')), 429, 'RATE_LIMITED');
  });

  it('answer 404 under any other name and 400 under an impossible one', async () => {
    const person = await api.register();
    const url = await uploaded(person, 'avatar', await image('png'));
    const name = url.split('/').at(-1)!;
    expect((await fetchPicture(url.replace(person.id, NOBODY))).response.status).to.equal(404);
    expect((await fetchPicture(url.replace(name, `avatar-${'0'.repeat(32)}-00000000.webp`))).response.status).to.equal(
      404,
    );
    for (const bad of ['..%2f..%2fetc%2fpasswd', 'avatar.webp', `${name}.part`]) {
      expect((await fetchPicture(url.replace(name, bad))).response.status).to.equal(400);
    }
  });
});
