import { cpus } from 'node:os';
import { type Db } from 'mongodb';

/** What it was measured on. */
export interface Machine {
  cores: number;
  cpu: string;
  node: string;
  mongod: string;
}

export async function describeMachine(db: Db): Promise<Machine> {
  const { version, buildEnvironment } = (await db.admin().buildInfo()) as {
    version: string;
    buildEnvironment?: { target_os?: string };
  };
  const system = buildEnvironment?.target_os ?? 'unknown system';
  const build = system === 'windows' && process.platform !== 'win32' ? 'the Windows build, under Wine' : system;
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    mongod: `${version} (${build}), one member`,
  };
}
