import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { type Config, readConfig } from '../../src/config.js';
import { type EmbeddedDatabase, startEmbedded } from '../../src/core/database/embedded/index.js';
import { createLog } from '../../src/core/observability/log.js';
import { type AtriumNode, startNode } from '../../src/node.js';
import { Api, type Person } from '../support/api.js';
import { until } from '../support/until.js';

const log = createLog('silent');

describe('A node whose database is in trouble', function () {
  this.timeout(60_000);

  let database: EmbeddedDatabase;
  let client: MongoClient;
  let dataDir: string;
  let node: AtriumNode;
  let api: Api;
  let author: Person;
  let reader: Person;
  before(async () => {
    // A server of its own: others must not suffer with it.
    database = await startEmbedded({ log, fallbackAllowed: true });
    client = await MongoClient.connect(database.uri);
    dataDir = await mkdtemp(join(tmpdir(), 'atrium-test-'));
    node = await startNode({ config: settings(dataDir), uri: database.uri, log, version: '0', heartbeatMs: 500 });
    api = new Api(node.url);
    [author, reader] = [await api.register(), await api.register()];
  });
  after(async () => {
    await node.stop();
    await client.close();
    await database.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  function settings(folder: string): Config {
    return readConfig({ NODE_ENV: 'test', PORT: '0', HOST: '127.0.0.1', DATA_DIR: folder, LEASE_SECONDS: '2' });
  }

  const ready = () => api.request('GET', '/api/../health/ready');

  async function becomes(status: number) {
    return (await until(ready, (answer) => answer.status === status, 30_000)).body.checks;
  }

  async function expectOutOfService(): Promise<void> {
    const begun = Date.now();
    const answers = await Promise.all([
      reader.post('/posts', { content: 'into the void' }),
      reader.get('/notifications'),
      api.request('POST', '/auth/login', { email: author.email, password: author.password }),
    ]);
    for (const { status, headers, body } of answers) {
      expect(status).to.equal(503);
      expect(body.code).to.equal('DATABASE_UNAVAILABLE');
      expect(Number(headers.get('retry-after'))).to.be.above(0);
    }
    expect(Date.now() - begun, 'nobody is left hanging').to.be.below(20_000);
  }

  async function expectServiceAsBefore(): Promise<void> {
    expect(await becomes(200)).to.deep.include({ database: 'ok', feed: 'ok' });
    const phone = await author.connect('/notifications');
    const postId = await author.publish();
    await reader.post(`/posts/${postId}/react`, { type: 'LIKE' });
    await phone.next('notification:new', ({ entity }) => entity.id === postId, 30_000);
    phone.socket.disconnect();
  }

  it('is ready as long as all is well', async () => {
    await expectServiceAsBefore();
  });

  it('is not ready without a primary, says so to everyone who asks, and recovers with it', async () => {
    await client.db('admin').command({ replSetStepDown: 15, force: true });
    const gone = becomes(503);
    await expectOutOfService();
    expect((await gone).database).not.to.equal('ok');
    await expectServiceAsBefore();
  });

  it('does not wait for a server that has fallen silent', async () => {
    const signal = (name: NodeJS.Signals) => database.pids.forEach((pid) => process.kill(pid, name));
    signal('SIGSTOP');
    try {
      const gone = becomes(503);
      await expectOutOfService();
      expect(await gone).to.deep.include({ database: 'does not answer' });
    } finally {
      signal('SIGCONT');
    }
    await expectServiceAsBefore();
  });

  it('is not ready when its feed is silent although the database answers', async () => {
    const db = client.db();
    // Nothing can be written to the outbox: no heartbeat either.
    await db.command({ collMod: 'events', validator: { type: 'nothing' } });
    const checks = await becomes(503);
    expect(checks).to.deep.include({ database: 'ok' });
    expect(checks.feed).to.match(/^silent for \d+ s$/);
    await db.command({ collMod: 'events', validator: {} });
    await expectServiceAsBefore();
  });
});
