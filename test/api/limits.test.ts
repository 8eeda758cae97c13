import { expect } from 'chai';
import { type Answer, type Json } from '../support/api.js';
import { type Api, Campus, WITHOUT_WORKERS } from '../support/campus.js';
import { expectProblem } from './helpers.js';

describe('Limits', () => {
  let campus: Campus;
  let [api, otherNode]: Api[] = [];
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    const env = { REQUESTS_PER_MINUTE: '15', TRUST_PROXY: '1' };
    api = await campus.startNode({ env });
    otherNode = await campus.startNode({ env });
  });
  after(() => campus.close());

  let addresses = 0;
  /** Registers from an address of its own, so that people do not use up each other's requests. */
  const newcomer = async () => {
    const {
      api: node,
      email,
      password,
    } = { api: api!, email: `p${++addresses}@campus.test`, password: 'of the tests' };
    const headers = { 'x-forwarded-for': `10.2.0.${addresses}` };
    const { body } = await node.request(
      'POST',
      '/auth/register',
      { name: 'P', email, password, role: 'student' },
      { headers },
    );
    return { token: body.accessToken as string };
  };
  const post = (who: { token: string }, on: Api, content = 'x'): Promise<Answer<Json>> =>
    on.request('POST', '/posts', { content }, who);
  /** One policy's part of a `RateLimit` or `RateLimit-Policy` header, as numbers by letter. */
  const part = ({ headers }: Answer<Json>, header: string, policy: string): Record<string, number> => {
    const found = (headers.get(header) ?? '').split(', ').find((each) => each.startsWith(`"${policy}";`)) ?? '';
    return Object.fromEntries([...found.matchAll(/;(\w)=(\d+)/g)].map(([, key, value]) => [key, Number(value)]));
  };

  it('let a user post ten times an hour over all nodes together, and say when to come back', async () => {
    const who = await newcomer();
    for (let i = 1; i <= 10; i += 1) {
      const answer = await post(who, i % 2 === 0 ? api! : otherNode!);
      expect(answer.status).to.equal(201);
      expect(part(answer, 'ratelimit-policy', 'posts')).to.deep.equal({ q: 10, w: 3_600 });
      expect(part(answer, 'ratelimit', 'posts')).to.include({ r: 10 - i });
    }
    for (const node of [api!, otherNode!]) {
      const refused = await post(who, node);
      expectProblem(refused, 429, 'RATE_LIMITED');
      const seconds = Number(refused.headers.get('retry-after'));
      expect(seconds).to.be.within(3_500, 3_600);
      expect(part(refused, 'ratelimit', 'posts')).to.deep.equal({ r: 0, t: seconds });
      expect(part(refused, 'ratelimit-policy', 'posts')).to.deep.equal({ q: 10, w: 3_600 });
    }
    // Reading is another matter, and so is everybody else.
    expect((await api!.request('GET', '/users/me', undefined, who)).status).to.equal(200);
    expect((await post(await newcomer(), api!)).status).to.equal(201);
  });

  it('hold when eleven posts come at once', async () => {
    const who = await newcomer();
    const answers = await Promise.all(Array.from({ length: 11 }, (_, i) => post(who, i % 2 === 0 ? api! : otherNode!)));
    expect(answers.filter(({ status }) => status === 201)).to.have.length(10);
    expectProblem(
      answers.find(({ status }) => status !== 201)!,
      429,
      'RATE_LIMITED',
    );
  });

  it('count every request of a user on both nodes, whatever address it comes from', async () => {
    const who = await newcomer();
    const ask = (i: number) =>
      (i % 2 === 0 ? api! : otherNode!).request('GET', '/users/me', undefined, {
        ...who,
        headers: { 'x-forwarded-for': `10.3.0.${i}` },
      });
    for (let i = 1; i <= 15; i += 1) {
      const answer = await ask(i);
      expect(answer.status).to.equal(200);
      expect(part(answer, 'ratelimit', 'global')).to.include({ r: 15 - i });
      expect(part(answer, 'ratelimit-policy', 'global')).to.deep.equal({ q: 15, w: 60 });
    }
    const refused = await ask(16);
    expectProblem(refused, 429, 'RATE_LIMITED');
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
  });

  it('count who is not signed in, or tries tokens, by address', async () => {
    const tryToken = (from: string, i: number) =>
      api!.request('GET', '/users/me', undefined, { token: `token${i}`, headers: { 'x-forwarded-for': from } });
    for (let i = 0; i < 15; i += 1) expectProblem(await tryToken('10.4.0.1', i), 401, 'TOKEN_INVALID');
    expectProblem(await tryToken('10.4.0.1', 15), 429, 'RATE_LIMITED');
    expectProblem(await tryToken('10.4.0.2', 16), 401, 'TOKEN_INVALID');
  });
});
