import { expect } from 'chai';
import { expectProblem } from '../../api/helpers.js';
import { type Api, Campus, WITHOUT_WORKERS } from '../../support/campus.js';

describe('OWASP API6: unrestricted access to sensitive business flows', () => {
  let campus: Campus;
  let api: Api;
  let otherNode: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    [api, otherNode] = [await campus.startNode(), await campus.startNode()];
  });
  after(() => campus.close());

  it('API6: posts cannot be mass-produced, though they are sent at once to several nodes', async () => {
    const person = await api.register();
    const answers = await Promise.all(
      Array.from({ length: 14 }, (_, at) =>
        person.on(at % 2 ? api : otherNode).post('/posts', { content: `Advertisement ${at}` }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).to.have.length(10);
    for (const refused of answers.filter(({ status }) => status !== 201)) expectProblem(refused, 429, 'RATE_LIMITED');
    expect((await person.get(`/users/${person.id}/posts`)).body.data).to.have.length(10);
  });

  it('API6: people cannot be collected by their suggestions, nor codes be mailed without end', async () => {
    const person = await api.register();
    const suggestions = await Promise.all(Array.from({ length: 12 }, () => person.get('/connections/suggestions')));
    expect(suggestions.filter(({ status }) => status === 429)).to.have.length(2);
    const codes = await Promise.all(
      Array.from({ length: 7 }, () => person.post('/auth/codes', { purpose: 'emailChange' })),
    );
    expect(codes.filter(({ status }) => status === 429).length).to.equal(2);
  });

  it('API6: a thing that can be done once is done once by twenty requests at once', async () => {
    const [one, other] = [await api.register(), await api.register()];
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        one.on(at % 2 ? api : otherNode).post('/connections', { userId: other.id }),
      ),
    );
    expect(asked.filter(({ status }) => status === 201).length).to.be.at.least(1);
    expect((await other.get('/connections/requests?direction=in')).body.data).to.have.length(1);
  });
});
