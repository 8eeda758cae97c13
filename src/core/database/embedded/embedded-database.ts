/** A running replica set of this machine. */
export interface EmbeddedDatabase {
  readonly uri: string;
  /** Process ids, one a member. */
  readonly pids: readonly number[];
  /** Ends it. Connections to it are to be closed before. */
  stop(): Promise<void>;
}

/** The address of a set on loopback, with the database `atrium`. */
export function uriOf(ports: readonly number[], setName: string): string {
  return `mongodb://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/atrium?replicaSet=${setName}`;
}
