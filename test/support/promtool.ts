import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findOnPath } from '../../src/core/database/embedded/mongod-version.js';
import { unpack } from './debian.js';

const run = promisify(execFile);

/** Prometheus' own tool for its configuration and rules; from Debian's package where there is none. */
export class Promtool {
  private constructor(
    private readonly path: string,
    /** For what it is to read; goes with it. */
    readonly folder: string,
  ) {}

  static async provide(): Promise<Promtool> {
    const folder = await mkdtemp(join(tmpdir(), 'atrium-promtool-'));
    const found = await findOnPath('promtool', process.env);
    if (found === undefined) await unpack('prometheus', folder);
    return new Promtool(found ?? join(folder, 'usr/bin/promtool'), folder);
  }

  /** @throws Error with what it says where it finds something wrong */
  async run(...args: string[]): Promise<void> {
    await run(this.path, args).catch((error: unknown) => {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`promtool ${args.join(' ')}\n${stdout}${stderr}`);
    });
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
