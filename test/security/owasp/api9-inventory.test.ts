import { expect } from 'chai';
import { expectProblem } from '../../api/helpers.js';
import { type Api, Campus, WITHOUT_WORKERS } from '../../support/campus.js';
import { operationsOf } from '../api-document.js';

describe('OWASP API9: improper inventory management', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
  });
  after(() => campus.close());

  it('API9: there is one version of the API, and nothing answers under another', async () => {
    for (const path of ['/api/v0/users/me', '/api/v2/users/me', '/api/users/me', '/v1/users/me', '/api/V1/users/me']) {
      const answer = await fetch(`${api.url}${path}`);
      expect(answer.status, path).to.equal(404);
    }
  });

  it('API9: every documented route exists, and asks who one is unless it is open to all', async () => {
    for (const { method, path } of await operationsOf(api)) {
      const filled = path.replace('{provider}', 'google').replace(/\{\w+\}/g, 'f'.repeat(24));
      const answer = await api.request(method, filled);
      expect(answer.status, `${method} ${path}`).to.not.equal(405);
      if (answer.status === 404) expect(answer.body.code, `${method} ${path}`).to.not.equal('ROUTE_NOT_FOUND');
      if (answer.status === 401 && answer.body.code === 'UNAUTHORIZED') expectProblem(answer, 401, 'UNAUTHORIZED');
    }
  });

  it('API9: what serves operators tells nothing of users', async () => {
    const person = await api.register({ name: 'Unmistakable Person' });
    for (const path of ['/metrics', '/health/live', '/health/ready', '/openapi.json', '/asyncapi.json']) {
      const answer = await fetch(`${api.url}${path}`);
      const text = await answer.text();
      for (const trace of [person.id, person.email, person.name]) expect(text, path).to.not.include(trace);
    }
  });
});
