import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../../src/core/database/embedded/ports.js';
import { install } from './debian.js';
import { until } from './until.js';

const PROGRAM = '/usr/sbin/nginx';
const CONFIGURATION = 'deploy/nginx';

/** One line of its access log. */
export interface Passed {
  path: string;
  status: number;
  /** The nodes that were asked, in order. */
  nodes: string[];
}

/** Debian's nginx, installed on the way where that is possible, with the configuration that is deployed. */
export class Nginx {
  private constructor(
    private readonly program: ChildProcess,
    private readonly folder: string,
    readonly url: string,
  ) {}

  /**
   * @param nodes their addresses, as `host:port`
   * @param server what is said of each beside its address
   */
  static async start(nodes: readonly string[], server = 'max_fails=1 fail_timeout=5s'): Promise<Nginx> {
    await provideNginx();
    const folder = await mkdtemp(join(tmpdir(), 'atrium-nginx-'));
    const port = await freePort();
    await copyFile(join(CONFIGURATION, 'nginx.conf'), join(folder, 'nginx.conf'));
    await writeFile(join(folder, 'listen.conf'), `listen 127.0.0.1:${port};\n`);
    await writeFile(join(folder, 'nodes.conf'), nodes.map((node) => `server ${node} ${server};\n`).join(''));
    // What it writes to is opened by name (/dev/stdout), which a pipe of Node's cannot be.
    const output = await open(join(folder, 'log'), 'a');
    const program = spawn(PROGRAM, [...optionsOf(folder, 'nginx.conf'), '-g', `pid ${folder}/pid; daemon off;`], {
      stdio: ['ignore', output.fd, output.fd],
    });
    process.once('exit', () => program.kill('SIGTERM'));
    await output.close();
    const nginx = new Nginx(program, folder, `http://127.0.0.1:${port}`);
    await until(async () => (await answers(port)) || program.exitCode !== null);
    if (program.exitCode !== null) throw new Error(`nginx ended:\n${await readFile(join(folder, 'log'), 'utf8')}`);
    return nginx;
  }

  /** What it has passed on or answered so far. */
  async passed(): Promise<Passed[]> {
    const log = await readFile(join(this.folder, 'log'), 'utf8');
    return log
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => {
        const { path, status, node } = JSON.parse(line) as { path: string; status: number; node: string };
        return { path, status, nodes: node === '' ? [] : node.split(', ') };
      });
  }

  async stop(): Promise<void> {
    if (this.program.exitCode === null) {
      this.program.kill('SIGTERM');
      await once(this.program, 'exit');
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What nginx says of the configuration that is deployed, as it is; empty where it finds nothing wrong. */
export async function checkDeployed(): Promise<string> {
  await provideNginx();
  const folder = await mkdtemp(join(tmpdir(), 'atrium-nginx-'));
  const output = await open(join(folder, 'log'), 'a');
  try {
    const options = [
      ...optionsOf(folder, resolve(CONFIGURATION, 'nginx.conf')),
      '-q',
      '-t',
      '-g',
      `pid ${folder}/pid;`,
    ];
    const { status } = spawnSync(PROGRAM, options, { stdio: ['ignore', output.fd, output.fd] });
    const said = await readFile(join(folder, 'log'), 'utf8');
    return status === 0 ? said : `refused: ${said}`;
  } finally {
    await output.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function provideNginx(): Promise<void> {
  if (!existsSync(PROGRAM)) await install(['nginx']);
}

function optionsOf(folder: string, configuration: string): string[] {
  return ['-e', 'stderr', '-p', folder, '-c', configuration];
}

function answers(port: number): Promise<boolean> {
  return new Promise((tell) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      tell(true);
    });
    socket.once('error', () => tell(false));
  });
}
