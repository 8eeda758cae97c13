import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MongoClient } from 'mongodb';
import { findMongod } from '../../src/core/database/embedded/find-mongod.js';
import { freePort } from '../../src/core/database/embedded/ports.js';
import { createLog } from '../../src/core/observability/log.js';
import { childEnvironment } from '../support/child-environment.js';
import { compiled } from '../support/compiled.js';

describe('A standalone MongoDB server', function () {
  this.timeout(90_000);

  let folder: string;
  let uri: string;
  let stop: () => Promise<void>;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atrium-standalone-'));
    const port = await freePort();
    const binary = await findMongod({ log: createLog('silent'), fallbackAllowed: true });
    const options = ['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1', '--quiet'];
    // Under Wine writing its files of diagnostics crashes it.
    const quiet = ['--setParameter', 'diagnosticDataCollectionEnabled=false'];
    const child = spawn(binary.path, [...options, ...quiet], { cwd: folder, stdio: 'ignore' });
    const exited = once(child, 'exit');
    stop = async () => {
      child.kill('SIGKILL');
      await exited;
    };
    uri = `mongodb://127.0.0.1:${port}/atrium`;
    await (await MongoClient.connect(uri, { serverSelectionTimeoutMS: 60_000 })).close();
  });
  after(async () => {
    await stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  });

  it('is refused at the start, with what is wrong and what to do', async () => {
    const child = spawn(process.execPath, [compiled('src/main.ts')], {
      env: childEnvironment({ NODE_ENV: 'test', PORT: '0', LOG_LEVEL: 'silent', MONGODB_URI: uri }),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [[code], complaint] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
    expect(code).to.equal(1);
    expect(complaint).to.match(/MONGODB_URI names a standalone server.*replica set.*--replSet.*rs\.initiate\(\)/s);
  });
});
