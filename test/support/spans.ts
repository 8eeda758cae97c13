import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-node';
import { createLog } from '../../src/core/observability/log.js';
import { startTraceExport, type TraceExport } from '../../src/core/observability/trace-export.js';
import { until } from './until.js';

export type Span = ReturnType<InMemorySpanExporter['getFinishedSpans']>[number];

/** Everything that this process traces, kept in memory: of all its nodes that are told to trace. */
export class Spans {
  private readonly exporter = new InMemorySpanExporter();
  private readonly exporting: TraceExport;

  constructor() {
    const about = { ratio: 1, serviceName: 'atrium-test', version: '0.0.0-test', log: createLog('silent') };
    this.exporting = startTraceExport({ exporter: this.exporter, ...about });
  }

  /** All that have ended. */
  async all(): Promise<Span[]> {
    await this.exporting.flush();
    return this.exporter.getFinishedSpans();
  }

  /** Those of this name, once there are so many. */
  async named(name: string, count = 1): Promise<Span[]> {
    const found = await until(
      async () => (await this.all()).filter((span) => span.name === name),
      (spans) => spans.length >= count,
    );
    return found;
  }

  /** The names of the spans from the beginning of a trace down to this one. */
  async wayTo(span: Span): Promise<string[]> {
    const { traceId } = span.spanContext();
    const byId = new Map((await this.all()).map((each) => [each.spanContext().spanId, each]));
    const way: string[] = [];
    for (let at: Span | undefined = span; at; at = byId.get(at.parentSpanContext?.spanId ?? '')) {
      if (at.spanContext().traceId !== traceId) throw new Error(`${at.name} belongs to another trace`);
      way.unshift(at.name);
    }
    return way;
  }

  stop(): Promise<void> {
    return this.exporting.stop();
  }
}
