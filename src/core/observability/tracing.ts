import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

/**
 * What is written goes on in the traces of what caused it: their W3C trace contexts stand beside it. Absent where nothing
 * is traced, which is what everything that follows goes by: without them no span is made, and nothing is asked.
 */
export interface Traced {
  traceparent?: string;
  /** Those of further causes, where several were dealt with together. */
  otherTraceparents?: string[];
}

/** The same, as it may be read from a document. */
export interface Cause {
  traceparent?: string | null;
  otherTraceparents?: string[] | null;
}

/** What a span says of a piece of work: kinds, outcomes and numbers, and nothing by which anybody could be known. */
export interface Work {
  name: string;
  kind?: SpanKind;
  attributes?: Attributes;
}

const UNTRACED: Traced = Object.freeze({});
const AT_HAND = createContextKey('the traced work at hand');
/** Of more causes than these, some traces end here: an event must stay small. */
const MOST_CAUSES = 100;

/**
 * A piece of work that is under way, as traces show it: a span in the trace of each of its causes. What is dealt with in
 * batches thus stays whole for whoever looks at one action, where a single span with links would end every trace but
 * one; and few causes are ever traced at once, because an unsampled one leaves no trace context to follow. The spans of
 * one piece of work link to the first of them.
 */
export class TracedWork {
  /** @param spans by the trace contexts that they go on from */
  constructor(private readonly spans: ReadonlyMap<string, Span>) {}

  get traceId(): string | undefined {
    return this.first?.spanContext().traceId;
  }

  /** Where what comes of this goes on. */
  get traces(): Traced {
    const [traceparent, ...otherTraceparents] = [...this.spans.values()].map(traceparentOf);
    if (traceparent === undefined) return UNTRACED;
    return { traceparent, ...(otherTraceparents.length > 0 && { otherTraceparents }) };
  }

  /** The contexts of its spans. */
  get contexts(): ReadonlyMap<string, Context> {
    return new Map([...this.spans.values()].map((span) => [traceparentOf(span), trace.setSpan(ROOT_CONTEXT, span)]));
  }

  /** Something that caused this, so that what comes of it goes on here. */
  continued<C extends Cause>(cause: C): C {
    const { traceparent, otherTraceparents } = cause;
    if (traceparent == null) return cause;
    const next = (each: string): string => {
      const span = this.spans.get(each);
      return span ? traceparentOf(span) : each;
    };
    return {
      ...cause,
      traceparent: next(traceparent),
      ...(otherTraceparents && { otherTraceparents: otherTraceparents.map(next) }),
    };
  }

  /** Runs some of this work: what is written meanwhile goes on from here. */
  run<T>(some: () => T): T {
    const active = this.first ? trace.setSpan(ROOT_CONTEXT, this.first) : ROOT_CONTEXT;
    return context.with(active.setValue(AT_HAND, this), some);
  }

  rename(name: string): void {
    for (const span of this.spans.values()) span.updateName(name);
  }

  set(attributes: Attributes): void {
    for (const span of this.spans.values()) span.setAttributes(attributes);
  }

  /** It came to no good end. Not why: messages of errors hold whatever was refused. */
  fail(): void {
    for (const span of this.spans.values()) span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(): void {
    for (const span of this.spans.values()) span.end();
  }

  private get first(): Span | undefined {
    return this.spans.values().next().value;
  }
}

/**
 * Begins a trace, if this one is sampled.
 * @param caller the trace context that a client sent, if any: it is linked to and not gone on with, or anybody could
 *   decide what is sampled
 */
export function beginTrace(work: Work, caller?: string): TracedWork | undefined {
  const linked = caller === undefined ? undefined : trace.getSpanContext(contextOf(caller));
  const span = startSpan(work, ROOT_CONTEXT, linked && { context: linked });
  return span.isRecording() ? new TracedWork(new Map([['', span]])) : undefined;
}

/** What of something follows from its cause, for something else that does. */
export function causeOf({ traceparent }: Cause): Cause {
  return traceparent == null ? UNTRACED : { traceparent };
}

/** Begins a piece of work that follows from what was written; `undefined` where none of that is traced. */
export function beginAfter(causes: readonly Cause[], work: Work): TracedWork | undefined {
  let parents: Map<string, Context> | undefined;
  for (const { traceparent, otherTraceparents } of causes) {
    if (traceparent == null) continue;
    parents ??= new Map();
    for (const each of [traceparent, ...(otherTraceparents ?? [])]) {
      if (parents.size < MOST_CAUSES && !parents.has(each)) parents.set(each, contextOf(each));
    }
  }
  return parents && begin(work, parents);
}

/**
 * Does a piece of work that follows from what was written.
 * @param run gets the causes as they go on within it
 */
export function follow<C extends Cause, T>(
  causes: C[],
  work: Work,
  run: (causes: C[], traced?: TracedWork) => Promise<T>,
): Promise<T> {
  const traced = beginAfter(causes, work);
  if (!traced) return run(causes);
  const continued = causes.map((cause) => traced.continued(cause));
  return untilItsEnd(traced, () => run(continued, traced));
}

/** Does a part of the work at hand, which shows in its traces, if it has any. */
export function part<T>(work: Work, run: () => Promise<T>): Promise<T> {
  const traced = beginPart(work);
  return traced ? untilItsEnd(traced, run) : run();
}

/** Notes in the traces of the work at hand that an event was written there, and says where it goes on. */
export function eventWritten(type: string): Traced {
  const whole = workAtHand();
  const traced = whole && begin({ name: `event ${type}`, kind: SpanKind.PRODUCER }, whole.contexts);
  if (!traced) return UNTRACED;
  traced.end();
  return traced.traces;
}

/** Where what is written now goes on. */
export function tracesAtHand(): Traced {
  return workAtHand()?.traces ?? UNTRACED;
}

/** The trace that the work at hand belongs to, for log lines. */
export function traceIdAtHand(): string | undefined {
  return workAtHand()?.traceId;
}

/** Ends it when that is done, whatever becomes of it. */
export async function untilItsEnd<T>(traced: TracedWork, run: () => Promise<T>): Promise<T> {
  try {
    return await traced.run(run);
  } catch (error) {
    traced.fail();
    throw error;
  } finally {
    traced.end();
  }
}

function workAtHand(): TracedWork | undefined {
  return context.active().getValue(AT_HAND) as TracedWork | undefined;
}

function beginPart(work: Work): TracedWork | undefined {
  const whole = workAtHand();
  return whole && begin(work, whole.contexts);
}

function begin(work: Work, parents: ReadonlyMap<string, Context>): TracedWork | undefined {
  const spans = new Map<string, Span>();
  let first: Span | undefined;
  for (const [traceparent, parent] of parents) {
    const span = startSpan(work, parent, first && { context: first.spanContext() });
    // Something traced elsewhere may be read by a process that traces nothing.
    if (!span.isRecording()) continue;
    first ??= span;
    spans.set(traceparent, span);
  }
  return first && new TracedWork(spans);
}

function startSpan({ name, kind, attributes }: Work, parent: Context, link?: { context: SpanContext }): Span {
  return trace
    .getTracer('atrium')
    .startSpan(
      name,
      { ...(kind !== undefined && { kind }), ...(attributes && { attributes }), ...(link && { links: [link] }) },
      parent,
    );
}

function contextOf(traceparent: string): Context {
  return propagation.extract(ROOT_CONTEXT, { traceparent });
}

function traceparentOf(span: Span): string {
  const carrier: { traceparent?: string } = {};
  propagation.inject(trace.setSpan(ROOT_CONTEXT, span), carrier);
  return carrier.traceparent ?? '';
}
