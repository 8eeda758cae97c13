import { context, diag, DiagLogLevel, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { type Log } from './log.js';

export interface TraceExportOptions {
  /** Where spans go. */
  exporter: SpanExporter;
  /** The share of requests that is traced, from 0 to 1. */
  ratio: number;
  serviceName: string;
  version: string;
  log: Log;
}

export interface TraceExport {
  /** Hands over what has gathered. */
  flush(): Promise<void>;
  /** Hands over what is left; from then on nothing is traced. */
  stop(): Promise<void>;
}

/** A collector that takes OTLP over HTTP at this address. Further settings of it have their standard variables. */
export function otlpExporter(endpoint: string): SpanExporter {
  return new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` });
}

/**
 * Makes spans of this process' work and exports them. One for all nodes of a process, since the library has one tracer
 * for each; imported only where it is wanted, since it is worth several megabytes.
 */
export function startTraceExport({ exporter, ratio, serviceName, version, log }: TraceExportOptions): TraceExport {
  const say = (text: string): void => log.warn({ reason: text }, 'traces: they could not be exported');
  const nothing = (): void => undefined;
  const logger = { error: say, warn: say, info: nothing, debug: nothing, verbose: nothing };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  provider.register();
  return {
    flush: () => provider.forceFlush(),
    async stop() {
      await provider.shutdown();
      trace.disable();
      context.disable();
      propagation.disable();
      diag.disable();
    },
  };
}
