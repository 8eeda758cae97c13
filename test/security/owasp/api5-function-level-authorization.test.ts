import { expect } from 'chai';
import { expectProblem, registerAs } from '../../api/helpers.js';
import { type Json } from '../../support/api.js';
import { type Api, Campus, WITHOUT_WORKERS } from '../../support/campus.js';

describe('OWASP API5: broken function level authorization', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
  });
  after(() => campus.close());

  it('API5: every route for some roles refuses all others, before it looks at what was sent', async () => {
    const { paths } = (await (await fetch(`${api.url}/openapi.json`)).json()) as Json;
    const restricted = Object.entries<Record<string, Json>>(paths).flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(([, operation]) => operation['x-roles'] !== undefined)
        .map(([method, operation]) => ({ method, path, roles: operation['x-roles'] as string[] })),
    );
    expect(restricted.length).to.be.at.least(5);
    for (const role of ['student', 'alumni', 'recruiter', 'moderator']) {
      const person = await registerAs(campus, api, role);
      for (const { method, path } of restricted.filter((one) => !one.roles.includes(role))) {
        const filled = path.replace(/\{\w+\}/g, 'f'.repeat(24));
        const answer = await api.request(method.toUpperCase(), filled, undefined, { token: person.token });
        expect(answer.status, `${method} ${path} as ${role}`).to.equal(403);
        expectProblem(answer, 403, 'FORBIDDEN');
      }
    }
  });

  it('API5: another method on a path that one may use opens nothing', async () => {
    const person = await api.register();
    for (const [method, path] of [
      ['PUT', '/users/me'],
      ['DELETE', `/users/${person.id}`],
      ['PATCH', `/posts/${'f'.repeat(24)}`],
    ] as const) {
      const answer = await api.request(method, path, {}, { token: person.token });
      expect(answer.status, `${method} ${path}`).to.be.oneOf([404, 405]);
    }
  });
});
