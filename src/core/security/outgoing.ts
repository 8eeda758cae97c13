import { readFileSync, statSync } from 'node:fs';
import { Agent, type AgentOptions } from 'node:https';
import {
  rootCertificates,
  connect,
  type ConnectionOptions,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';

export interface OutgoingOptions {
  /** Certificates to trust beside the well-known ones; looked at for each new connection, so it may appear later. */
  caFile?: string | undefined;
  /** Connects here (`host:port`) whatever the URL says; the certificate must still be that of the URL's host. */
  connectTo?: string | undefined;
}

/**
 * So long a connection waits for its next call, in milliseconds, and a second less than its server says it would. A call
 * by one that the server is just closing would fail: many close theirs after five seconds.
 */
const IDLE_MS = 4_000;

/** The agent for calls to providers. */
export function outgoingAgent(options: OutgoingOptions = {}): Agent {
  return new OutgoingAgent(options, { keepAlive: true, maxSockets: 100, timeout: IDLE_MS });
}

class OutgoingAgent extends Agent {
  private trusted: { changedAt: number; context: SecureContext } | undefined;

  constructor(
    private readonly outgoing: OutgoingOptions,
    options: AgentOptions,
  ) {
    super(options);
  }

  // Node calls this with the connection's options; its type names those of plain sockets only.
  override createConnection(options: object): TLSSocket {
    const { caFile, connectTo } = this.outgoing;
    const extra: ConnectionOptions = {};
    const secureContext = caFile === undefined ? undefined : this.trusting(caFile);
    if (secureContext) extra.secureContext = secureContext;
    if (connectTo !== undefined) {
      const { hostname, port } = new URL(`tls://${connectTo}`);
      extra.host = hostname;
      extra.port = Number(port);
    }
    return connect({ ...(options as ConnectionOptions), ...extra });
  }

  /** Reading some 150 certificates takes long, and a batch opens many connections at once: read when they change. */
  private trusting(caFile: string): SecureContext | undefined {
    const changedAt = statSync(caFile, { throwIfNoEntry: false })?.mtimeMs;
    if (changedAt === undefined) return undefined;
    if (this.trusted?.changedAt !== changedAt) {
      const ca = [...rootCertificates, readFileSync(caFile, 'utf8')];
      this.trusted = { changedAt, context: createSecureContext({ ca }) };
    }
    return this.trusted.context;
  }
}
