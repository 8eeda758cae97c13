import { existsSync, readFileSync } from 'node:fs';
import { Agent, type AgentOptions } from 'node:https';
import { rootCertificates, connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

export interface OutgoingOptions {
  /** Certificates to trust beside the well-known ones; read at each new connection, so it may appear later. */
  caFile?: string | undefined;
  /** Connects here (`host:port`) whatever the URL says; the certificate must still be that of the URL's host. */
  connectTo?: string | undefined;
}

/** The agent for calls to providers. */
export function outgoingAgent(options: OutgoingOptions = {}): Agent {
  return new OutgoingAgent(options, { keepAlive: true, maxSockets: 100 });
}

class OutgoingAgent extends Agent {
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
    if (caFile !== undefined && existsSync(caFile)) extra.ca = [...rootCertificates, readFileSync(caFile, 'utf8')];
    if (connectTo !== undefined) {
      const { hostname, port } = new URL(`tls://${connectTo}`);
      extra.host = hostname;
      extra.port = Number(port);
    }
    return connect({ ...(options as ConnectionOptions), ...extra });
  }
}
