import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, ConfigError, readConfig } from './config.js';
import { SECOND } from './core/clock.js';
import { startEmbedded } from './core/database/embedded/index.js';
import { createLog, type Log } from './core/observability/log.js';
import { type TraceExport } from './core/observability/trace-export.js';
import { type AtriumNode, startNode } from './node.js';

/** Finds the database: the one that is configured, else an embedded one under `DATA_DIR`. */
async function openDatabase(config: Config, log: Log): Promise<{ uri: string; stop: () => Promise<void> }> {
  if (config.mongodbUri !== undefined) return { uri: config.mongodbUri, stop: () => Promise.resolve() };
  const dataDir = join(config.dataDir, 'database');
  await mkdir(dataDir, { recursive: true });
  return startEmbedded({ dataDir, log, fallbackAllowed: config.mongodFallback === 'on' });
}

/** Exports traces where there is somewhere to; nothing of it is loaded otherwise. */
async function exportTraces(config: Config, version: string, log: Log): Promise<TraceExport | undefined> {
  const { otlpEndpoint, tracesRatio: ratio, otelServiceName: serviceName } = config;
  if (otlpEndpoint === undefined) return undefined;
  const { otlpExporter, startTraceExport } = await import('./core/observability/trace-export.js');
  log.info({ endpoint: new URL(otlpEndpoint).origin, ratio }, 'traces: they are exported');
  return startTraceExport({ exporter: otlpExporter(otlpEndpoint), ratio, serviceName, version, log });
}

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel);
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const traces = await exportTraces(config, version, log);
  const database = await openDatabase(config, log);
  let node: AtriumNode;
  try {
    node = await startNode({ config, uri: database.uri, log, version, traced: traces !== undefined });
  } catch (error) {
    await database.stop();
    throw error;
  }

  const stop = async (signal: string): Promise<void> => {
    log.info({ signal }, 'atrium: stopping');
    // Whatever hangs, the process ends; what it had claimed is taken over by another.
    setTimeout(() => process.exit(1), config.shutdownSeconds * SECOND).unref();
    await node.stop();
    await database.stop();
    await traces?.stop();
    log.info('atrium: stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'atrium: a promise was rejected unseen'));
}

main().catch((error: unknown) => {
  // The log may not exist yet, and a wrong setting deserves plain words.
  process.stderr.write(`${error instanceof ConfigError ? error.message : (error as Error).stack}\n`);
  process.exit(1);
});
