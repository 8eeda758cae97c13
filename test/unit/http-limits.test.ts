import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import request from 'supertest';
import { type Database } from '../../src/core/database/database.js';
import { createLimiter, type Limit, rateLimitCollection } from '../../src/core/http/limits.js';
import { Problem } from '../../src/core/http/problem.js';
import { anyone, route } from '../../src/core/http/route.js';
import { networkOf } from '../../src/core/http/subject.js';
import { bare } from './http-example.js';
import { appOf, bodyOf, dropDatabase, freshDatabase } from './http-app.js';
import { until } from '../support/until.js';

const react: Limit = { name: 'reactions', points: 3, seconds: 60 };
const act = route({
  method: 'post',
  path: '/act',
  tag: 'x',
  summary: 'x',
  access: anyone,
  limits: [react],
  answer: { status: 204 },
  handle: () => Promise.resolve(),
});

describe('http rate limits', () => {
  let database: Database;
  const limiterOf = (globalPerMinute: number) => createLimiter({ db: database.db, globalPerMinute });

  before(async () => {
    database = await freshDatabase([rateLimitCollection]);
  });
  beforeEach(() => database.collection('rateLimits').deleteMany({}));
  after(() => dropDatabase(database));

  it('say what is left, and refuse what is over', async () => {
    const app = appOf([act], { limiter: limiterOf(120) });
    const post = () => request(app).post('/api/v1/act').set('Authorization', 'Bearer amal');
    const first = await post().expect(204);
    expect(first.headers['ratelimit-policy']).to.equal('"global";q=120;w=60, "reactions";q=3;w=60');
    expect(first.headers['ratelimit']).to.match(/^"global";r=119;t=(59|60), "reactions";r=2;t=(59|60)$/);
    await post().expect(204);
    await post().expect(204);
    // The second refusal is the node's own: it remembers.
    for (let round = 0; round < 2; round += 1) {
      const refusal = await post().expect(429);
      const { headers } = refusal;
      expect(bodyOf(refusal)).to.include({ code: 'RATE_LIMITED' });
      expect(Number(headers['retry-after'])).to.be.within(55, 60);
      expect(headers['ratelimit-policy']).to.equal('"reactions";q=3;w=60');
      expect(headers['ratelimit']).to.match(/^"reactions";r=0;t=\d\d$/);
    }
    await request(app).post('/api/v1/act').set('Authorization', 'Bearer omar').expect(204);
    await request(app).post('/api/v1/act').expect(204);
  });

  it('hold for all nodes together and against requests at once', async () => {
    const apps = [appOf([act], { limiter: limiterOf(0) }), appOf([act], { limiter: limiterOf(0) })];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => request(apps[index % 2]!).post('/api/v1/act')),
    );
    expect(answers.filter(({ status }) => status === 204)).to.have.length(3);
    expect(answers.filter(({ status }) => status === 429)).to.have.length(17);
  });

  it('count every request by the global limit, bad tokens and bad input too', async () => {
    const app = appOf([act, bare('post', '/own')], { limiter: limiterOf(3) });
    await request(app).post('/api/v1/act?x=1').expect(400);
    await request(app).post('/api/v1/own').set('Authorization', 'Bearer bad').expect(401);
    await request(app).post('/api/v1/act').set('Authorization', 'Bearer bad').expect(204);
    await request(app).post('/api/v1/act').expect(429);
    for (const path of ['own', 'act']) {
      await request(app).post(`/api/v1/${path}`).set('Authorization', 'Bearer bad').expect(429);
    }
  });

  it('are off at 0', async () => {
    const free = route({
      method: 'get',
      path: '/free',
      tag: 'x',
      summary: 'x',
      access: anyone,
      answer: { status: 204 },
      handle: () => Promise.resolve(),
    });
    const { headers } = await request(appOf([free], { limiter: limiterOf(0) }))
      .get('/api/v1/free')
      .expect(204);
    expect(headers).not.to.have.property('ratelimit');
  });

  it('end with their window', async () => {
    const limiter = limiterOf(0);
    const brief: Limit = { name: 'brief', points: 1, seconds: 1 };
    await limiter.admit('user:a', [brief]);
    await refused(limiter.admit('user:a', [brief]));
    expect(limiter.blocked('user:a', [brief])).to.be.instanceOf(Problem);
    await until(() => limiter.blocked('user:a', [brief]) === undefined);
    await limiter.admit('user:a', [brief]);
  });

  it('count failures only, where asked to', async () => {
    const limiter = limiterOf(0);
    for (let round = 0; round < 5; round += 1) {
      await limiter.consume('amal', react);
      await limiter.giveBack('amal', react);
    }
    await limiter.check('amal', react);
    for (let failure = 0; failure < 3; failure += 1) {
      await limiter.check('amal', react);
      await limiter.penalise('amal', react);
    }
    await refused(limiter.check('amal', react));
    await refused(limiterOf(0).consume('amal', react));
    await limiter.check('omar', react);
  });

  it('go on by themselves, soon, where the database is out of reach', async () => {
    const away = new MongoClient('mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=30000');
    const limiter = createLimiter({ db: away.db('x'), globalPerMinute: 0 });
    const started = Date.now();
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => limiter.admit('user:a', [react])));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(3);
    expect(Date.now() - started).to.be.below(4_000);
    await away.close();
  });

  it('take the /64 of an IPv6 address for one customer', () => {
    expect(networkOf('192.0.2.7')).to.equal('192.0.2.7');
    expect(networkOf('::ffff:192.0.2.7')).to.equal('192.0.2.7');
    expect(networkOf('2001:db8:1:2:3:4:5:6')).to.equal(networkOf('2001:0DB8:1:2::9'));
    expect(networkOf('2001:db8:1:2::1')).not.to.equal(networkOf('2001:db8:1:3::1'));
    expect(networkOf('fe80::1%eth0')).to.equal('fe80:0:0:0::/64');
    expect(networkOf('::1')).to.equal('0:0:0:0::/64');
  });
});

async function refused(work: Promise<unknown>): Promise<void> {
  const problem: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(problem).to.be.instanceOf(Problem).and.include({ status: 429, code: 'RATE_LIMITED' });
}
