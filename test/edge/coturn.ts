import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { install } from '../support/debian.js';

const run = promisify(execFile);
const SERVER = '/usr/bin/turnserver';
const CLIENT = '/usr/bin/turnutils_uclient';
const HOST = '127.0.0.1';

export interface Credentials {
  username: string;
  credential: string;
}

/** A real relay: Debian's coturn, installed on the way where that is possible, which knows nobody but by its secret. */
export class Coturn {
  private constructor(
    private readonly server: ChildProcess,
    private readonly port: number,
  ) {}

  static async start({ secret, folder }: { secret: string; folder: string }): Promise<Coturn> {
    if (!existsSync(SERVER) || !existsSync(CLIENT)) await install(['coturn']);
    const port = await freePort();
    const server = spawn(
      SERVER,
      [
        ...['-n', '--use-auth-secret', `--static-auth-secret=${secret}`, '--realm=campus.test'],
        ...[`--listening-ip=${HOST}`, `--relay-ip=${HOST}`, `--listening-port=${port}`, '--allow-loopback-peers'],
        ...['--no-tls', '--no-dtls', '--no-cli', '--log-file=stdout', '--simple-log'],
        ...[`--userdb=${join(folder, 'turn.db')}`, `--pidfile=${join(folder, 'turn.pid')}`],
      ],
      { stdio: 'ignore' },
    );
    const relay = new Coturn(server, port);
    process.once('exit', () => server.kill('SIGKILL'));
    return relay;
  }

  get url(): string {
    return `turn:${HOST}:${this.port}?transport=udp`;
  }

  /** Whether somebody with these credentials is given an address to be reached at, and is reached there. */
  async relays({ username, credential }: Credentials): Promise<boolean> {
    const messages = ['-y', '-c', '-n', '1', '-m', '1'];
    try {
      const args = [...messages, '-p', String(this.port), '-u', username, '-w', credential, HOST];
      const { stdout } = await run(CLIENT, args, { timeout: 20_000 });
      return /tot_send_msgs=(\d*[1-9]), tot_recv_msgs=\1\b/.test(stdout);
    } catch {
      return false;
    }
  }

  async stop(): Promise<void> {
    if (this.server.exitCode !== null) return;
    this.server.kill('SIGKILL');
    await once(this.server, 'exit');
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
