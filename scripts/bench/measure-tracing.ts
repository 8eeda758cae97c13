import { ObjectId } from 'mongodb';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-node';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { createLog } from '../../src/core/observability/log.js';
import { startTraceExport } from '../../src/core/observability/trace-export.js';
import {
  beginTrace,
  eventWritten,
  follow,
  part,
  traceIdAtHand,
  untilItsEnd,
} from '../../src/core/observability/tracing.js';
import { Api, type Person } from '../../test/support/api.js';
import { API, choices, progress, publish, SECONDS, WARM_UP_SECONDS } from './choices.js';
import { type Asked, asked, load } from './load.js';
import { type Latencies } from './reactions.js';
import { compareLatencies, type Measurement, median, round } from './report.js';
import { type Stage } from './stage.js';

/** The first of these is the one that the others are compared with. */
const SHARES = { 'not traced': undefined, 'one in a hundred traced': '0.01', 'all traced': '1' };
const ALTERNATIONS = choices.quick ? 1 : 3;

/** What tracing costs a request: nodes that trace nothing, a little and everything are asked in turns. */
export async function measureTracing(stage: Stage): Promise<void> {
  // It stays until the benchmark ends, since nodes hand over what is left when they stop.
  const collector = createServer((request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const { port } = collector.address() as AddressInfo;
  const nodes: { name: string; api: Api }[] = [];
  for (const [name, share] of Object.entries(SHARES)) {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_TRACES_SAMPLER_ARG: share ?? '' };
    const { url } = await stage.startFurtherApi(share === undefined ? {} : endpoint);
    nodes.push({ name, api: new Api(url) });
  }
  const people = await stage.register(API.people);
  const [author] = people as [Person];
  const postId = await author.publish('What does it take to see what happens?');
  const postIds = await stage.writeLike('posts', { _id: new ObjectId(postId) }, API.posts, () => ({}));
  const one = (at: number): Person => people[at % people.length] ?? author;
  const types = ['LIKE', 'LOVE', 'CELEBRATE'];
  let index = 0;
  const requests: Record<string, () => Asked> = {
    'GET /notifications/unread-count': () => asked(one(index++), 'GET', '/notifications/unread-count'),
    'POST /posts/:postId/react': () => {
      const type = types[Math.floor(index / people.length) % types.length];
      index += 1;
      return asked(one(index), 'POST', `/posts/${postIds[index % postIds.length] ?? ''}/react`, { type });
    },
  };
  for (const [request, next] of Object.entries(requests)) await compare(stage, nodes, request, next);
  publish(await pointByPoint());
}

interface Turn extends Latencies {
  cpuMs: number;
}

async function compare(stage: Stage, nodes: { name: string; api: Api }[], request: string, next: () => Asked) {
  const turns = new Map<string, Turn[]>(nodes.map(({ name }) => [name, []]));
  for (const { api } of nodes) await load(api.url, WARM_UP_SECONDS, next);
  for (let turn = 1; turn <= ALTERNATIONS; turn += 1) {
    progress(`tracing: ${request}, turn ${turn} of ${ALTERNATIONS}`);
    // Each comes first in turn: what the one before has left behind is at the cost of the next.
    const order = nodes.map((_, at) => nodes[(at + turn) % nodes.length]).filter((each) => each !== undefined);
    for (const { name, api } of order) {
      const before = await stage.cpuMs(api);
      const loaded = await load(api.url, SECONDS, next);
      const cpuMs = ((await stage.cpuMs(api)) - before) / loaded.took.length;
      turns.get(name)?.push({ ...loaded, cpuMs });
    }
  }
  const [untraced = [], ...others] = [...turns.values()];
  const cpu = (of: Turn[]) => ({ cpu: round(median(of.map(({ cpuMs }) => cpuMs))) });
  for (const [at, traced] of others.entries()) {
    const rounds = traced.map((atrium, turn) => ({ atrium, floor: untraced[turn] ?? { took: [], overdue: 0 } }));
    const measure = `${request}, ${nodes[at + 1]?.name ?? ''}, beside: not traced`;
    const figures = compareLatencies(measure, rounds, { mostMs: API.mostMs });
    publish({
      ...figures,
      atrium: { ...figures.atrium, ...cpu(traced) },
      raw: { ...figures.raw, ...cpu(untraced) },
    });
  }
}

const TIMES = 100_000;

/** What is left of tracing in this process where it is off, and what it takes where it is on, span by span. */
async function pointByPoint(): Promise<Measurement> {
  const off = await timed();
  const exporter = new InMemorySpanExporter();
  const log = createLog('silent');
  const exporting = startTraceExport({ exporter, ratio: 1, serviceName: 'bench', version: '', log });
  const on = await timed();
  await exporting.stop();
  return { measure: 'a point where a span can begin, on, beside: off', unit: 'ns', atrium: on, raw: off, overdue: 0 };
}

async function timed(): Promise<Record<string, number>> {
  const work = { name: 'anything' };
  const nothing = Promise.resolve();
  const request = beginTrace(work);
  const causes = [request?.traces ?? {}];
  const points: Record<string, () => unknown> = {
    transaction: () => part(work, () => nothing),
    event: () => eventWritten('post.reacted'),
    continuation: () => follow(causes, work, () => nothing),
    logLine: () => traceIdAtHand(),
  };
  const took: Record<string, number> = {};
  const run = async (): Promise<void> => {
    for (const [name, point] of Object.entries(points)) {
      for (let time = 0; time < TIMES; time += 1) await point();
      const begun = performance.now();
      for (let time = 0; time < TIMES; time += 1) await point();
      took[name] = round(((performance.now() - begun) * 1e6) / TIMES);
    }
  };
  await (request ? untilItsEnd(request, run) : run());
  return took;
}
