import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log } from '../../observability/log.js';
import { cacheDirectory, codeOf } from './cache.js';
import { inspectMongod, type MongodBinary } from './mongod-version.js';

/** How long the download host may take to answer at all, in milliseconds. */
const ASK_MS = 3_000;
/** How long its silence is remembered, so that processes started together do not each wait for it, in milliseconds. */
const SILENCE_MS = 10 * 60_000;

/**
 * The same release as the fallback: data files made by one open with the other, where a jump over a major version
 * (7.0 to 8.2) is refused by mongod. `MONGOMS_VERSION` chooses another.
 */
const VERSION = '7.0.15';

/**
 * The official mongod: from the cache of mongodb-memory-server, else downloaded into it.
 * @returns `undefined`, after saying why in the log, where it cannot be had
 */
export async function officialMongod(log: Log, env: NodeJS.ProcessEnv): Promise<MongodBinary | undefined> {
  try {
    // Loaded here only: a server with a database of its own has no use for it.
    const { DryMongoBinary, MongoBinary } = await import('mongodb-memory-server-core');
    const version = env['MONGOMS_VERSION'] ?? VERSION;
    const cached = await DryMongoBinary.locateBinary({ version });
    if (cached !== undefined) {
      log.info(`database: using the official mongod ${version}, downloaded before`);
      return await inspectMongod(cached);
    }
    const { MongoBinaryDownloadUrl } = await import('mongodb-memory-server-core/lib/util/MongoBinaryDownloadUrl.js');
    const url = await new MongoBinaryDownloadUrl(await DryMongoBinary.generateOptions({ version })).getDownloadUrl();
    const obstacle = await whatHinders(url, env);
    if (obstacle !== undefined) {
      log.info(`database: the official download host cannot be reached (${obstacle})`);
      return undefined;
    }
    log.info(`database: downloading the official mongod ${version}`);
    return await inspectMongod(await MongoBinary.getPath({ version }));
  } catch (error) {
    log.info(`database: no official mongod for this machine (${messageOf(error)})`);
    return undefined;
  }
}

/** Why the address cannot be reached, or `undefined` where it can. A silent host would cost the download minutes. */
async function whatHinders(url: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  // The download goes through the proxy and this question cannot, so its answer would mean nothing.
  if (env['HTTPS_PROXY'] ?? env['https_proxy'] ?? env['HTTP_PROXY'] ?? env['http_proxy']) return undefined;
  const silence = join(await cacheDirectory(env), 'download-host-silent');
  const since = await stat(silence).catch(() => undefined);
  if (since && Date.now() - since.mtimeMs < SILENCE_MS) return 'it was silent a few minutes ago';
  try {
    const answer = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(ASK_MS) });
    return answer.ok ? undefined : `it answers ${answer.status}`;
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') {
      await writeFile(silence, '');
      return `no answer within ${ASK_MS / 1000} s`;
    }
    const cause = error instanceof Error ? error.cause : undefined;
    return codeOf(cause) || messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
