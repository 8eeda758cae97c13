import { expect } from 'chai';
import { MINUTE, SECOND } from '../../src/core/clock.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { follow, image, pdf, uploaded } from '../support/media.js';
import { expectInvalid, expectProblem } from './helpers.js';

describe('Links to media', () => {
  let campus: Campus;
  let api: Api;
  let person: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
    person = await api.register();
  });
  after(() => campus.close());

  const statusOf = async (url: string): Promise<number> => (await follow(person, url)).response.status;
  /** As whoever knows nothing but the link. */
  const problemOf = (url: string) => api.request('GET', url);

  it('need no token, are the same for a minute, and cannot be taken for anything but a file', async () => {
    campus.clock.toNextMinute();
    const media = await uploaded(person, await image());
    const again = (await person.get(`/media/${media.id as string}`)).body;
    expect([again.url, again.thumbnailUrl]).to.deep.equal([media.url, media.thumbnailUrl]);
    const { response } = await follow(person, media.url);
    const { headers } = response;
    expect(headers.get('cache-control')).to.match(/^private, max-age=(8[4-9]\d|900)$/);
    expect(headers.get('x-content-type-options')).to.equal('nosniff');
    expect(headers.get('content-disposition')).to.equal('inline');
    expect(headers.get('content-security-policy')).to.equal("default-src 'none'; sandbox");
    expect(headers.get('cross-origin-resource-policy')).to.equal('cross-origin');
    expect(headers.get('referrer-policy')).to.equal('no-referrer');
    expect(headers.get('set-cookie')).to.equal(null);
    expect(headers.get('etag')).to.be.a('string');
  });

  it('are good for one file alone, and for nothing when anything in them is changed', async () => {
    const [one, other] = [await uploaded(person), await uploaded(person, pdf(), { type: 'DOCUMENT' })];
    const url = one.url as string;
    const { searchParams } = new URL(url, api.url);
    const [expires, signature] = [searchParams.get('expires')!, searchParams.get('signature')!];
    const changed = [
      url.replace(one.id as string, other.id as string),
      url.replace('/file?', '/thumbnail?'),
      url.replace(expires, String(Number(expires) + 60)),
      url.replace(
        signature,
        signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
      ),
      url.replace(signature, `${signature}=`),
      url.replace(signature, 'x'),
      (other.url as string).replace(/signature=.*/, `signature=${signature}`),
    ];
    for (const each of changed) expectProblem(await problemOf(each), 403, 'LINK_INVALID');
    expectInvalid(await problemOf(url.split('&')[0]!), 'query.signature');
    expectInvalid(await problemOf(url.replace(expires, 'never')), 'query.expires');
    expect(await statusOf(url)).to.equal(200);
    // Documents have no small image.
    expectProblem(await problemOf((other.url as string).replace('/file?', '/thumbnail?')), 403, 'LINK_INVALID');
  });

  it('end after a quarter of an hour, and are made anew for who may see it', async () => {
    campus.clock.toNextMinute();
    const media = await uploaded(person);
    campus.clock.advance(14 * MINUTE - SECOND);
    expect(await statusOf(media.url)).to.equal(200);
    campus.clock.advance(MINUTE + 2 * SECOND);
    for (const url of [media.url, media.thumbnailUrl] as string[]) {
      expectProblem(await problemOf(url), 410, 'LINK_EXPIRED');
    }
    const again = await (await api.signIn(person.email, person.password)).get(`/media/${media.id as string}`);
    expect(again.body.url).not.to.equal(media.url);
    expect(await statusOf(again.body.url)).to.equal(200);
  });
});
