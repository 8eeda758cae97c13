import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const LATENCY_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60];

/** What `/metrics` shows, in Prometheus' terms. One set per node, so that several can live in one process. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    httpDuration: new Histogram({
      name: 'atrium_http_request_seconds',
      help: 'Time from request to answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: LATENCY_SECONDS,
      registers,
    }),
    /** Shows a value that is read when the metrics are. */
    watch(name: string, help: string, read: () => number): void {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
    /** The same for several values, one per label; what cannot be read just now is left out. */
    watchEach(name: string, help: string, label: string, read: () => Promise<Record<string, number>>): void {
      new Gauge({
        name,
        help,
        labelNames: [label],
        registers,
        async collect() {
          this.reset();
          const values = await read().catch(() => ({}));
          for (const [key, value] of Object.entries(values)) this.set({ [label]: key }, value);
        },
      });
    },
    eventsHandled: new Counter({
      name: 'atrium_events_handled_total',
      help: 'Events that were handled, by the reactor and by what follows it.',
      registers,
    }),
    eventsSetAside: new Counter({
      name: 'atrium_events_dead_total',
      help: 'Events whose listener failed each time.',
      registers,
    }),
    historyLost: new Counter({
      name: 'atrium_history_lost_total',
      help: 'How often somebody who handles events had to catch up from the events collection.',
      registers,
    }),
    shed: new Counter({
      name: 'atrium_shed_total',
      help: 'Requests and events of sockets that were turned away because there was too much to do.',
      labelNames: ['kind'],
      registers,
    }),
    shown: new Histogram({
      name: 'atrium_event_to_socket_seconds',
      help: 'Time from an event to its emission to a socket.',
      buckets: LATENCY_SECONDS,
      registers,
    }),
    breaker: new Gauge({
      name: 'atrium_provider_breaker',
      help: 'Whether this worker sends to a provider: 0 it does, 1 it is trying again, 2 the provider is out of order.',
      labelNames: ['provider'],
      registers,
    }),
    delivered: new Histogram({
      name: 'atrium_delivery_seconds',
      help: 'Time from a notification’s creation to the end of an attempt on an outside channel.',
      labelNames: ['channel', 'outcome'],
      buckets: LATENCY_SECONDS,
      registers,
    }),
  };
}
export type Metrics = ReturnType<typeof createMetrics>;
