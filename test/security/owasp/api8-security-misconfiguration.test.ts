import { expect } from 'chai';
import { type Api, Campus, WITHOUT_WORKERS } from '../../support/campus.js';

describe('OWASP API8: security misconfiguration', () => {
  let campus: Campus;
  let api: Api;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode({ env: { CORS_ORIGINS: 'https://app.campus.test' } });
  });
  after(() => campus.close());

  it('API8: answers say nothing of what is behind them', async () => {
    for (const [method, path, body] of [
      ['GET', '/nothing/here', undefined],
      ['POST', '/auth/login', '{'],
      ['GET', '/posts/%ZZ', undefined],
    ] as const) {
      const answer = await api.request(method, path, body);
      expect(answer.status).to.be.within(400, 499);
      expect(answer.headers.get('x-powered-by')).to.equal(null);
      expect(answer.headers.get('server')).to.equal(null);
      expect(JSON.stringify(answer.body)).to.not.match(/node_modules|\bat .+:\d+|SyntaxError|Mongo/);
    }
  });

  it('API8: browsers are told to trust nothing they need not, and other sites read nothing', async () => {
    const response = await fetch(`${api.url}/api/v1/posts`, { headers: { Origin: 'https://evil.test' } });
    expect(response.headers.get('access-control-allow-origin')).to.equal(null);
    expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
    expect(response.headers.get('content-security-policy')).to.be.a('string');
    expect(response.headers.get('strict-transport-security')).to.be.a('string');
  });

  it('API8: the refresh cookie is out of reach of scripts and of other sites', async () => {
    const { headers } = await api.request('POST', '/auth/register', {
      name: 'N',
      email: 'cookie@campus.test',
      password: 'violet umbrellas at dawn',
      role: 'student',
    });
    expect(headers.get('set-cookie'))
      .to.match(/HttpOnly/)
      .and.to.match(/SameSite=Strict/);
  });
});
