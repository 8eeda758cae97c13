import { expect } from 'chai';
import { expectInvalid, expectProblem } from '../../api/helpers.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../../support/campus.js';
import { operationsOf } from '../api-document.js';

describe('OWASP API4: unrestricted resource consumption', () => {
  let campus: Campus;
  let api: Api;
  let person: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
    person = await api.register();
  });
  after(() => campus.close());

  it('API4: no list gives more than its largest page, whatever is asked for', async () => {
    const lists = (await operationsOf(api)).filter(({ parameters }) => parameters.some(({ name }) => name === 'limit'));
    expect(lists.length).to.be.at.least(8);
    for (const { path, parameters } of lists) {
      const { schema } = parameters.find(({ name }) => name === 'limit')!;
      expect(schema.maximum, path).to.be.within(1, 100);
    }
    for (const limit of ['101', '1e9', '-1', 'Infinity']) {
      expectInvalid(await person.get(`/notifications?limit=${limit}`), 'query.limit');
    }
  });

  it('API4: no body and no text is taken without a bound', async () => {
    expectProblem(await person.post('/posts', `{"content":"${'x'.repeat(1_100_000)}"}`), 413, 'BODY_TOO_LARGE');
    expectInvalid(await person.post('/posts', { content: 'x'.repeat(3_001) }), 'body.content');
  });

  it('API4: a client that asks without pause is told when to come back', async () => {
    const limited = await campus.startNode({ env: { REQUESTS_PER_MINUTE: '20' } });
    const eager = await limited.register();
    const answers = await Promise.all(Array.from({ length: 30 }, () => eager.get('/users/me')));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).to.be.within(10, 11);
    expectProblem(refused[0]!, 429, 'RATE_LIMITED');
    expect(Number(refused[0]!.headers.get('retry-after'))).to.be.within(1, 60);
  });
});
