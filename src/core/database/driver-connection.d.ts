/** What is used of the driver's own connection, which its declarations leave out. */
declare module 'mongodb/lib/cmap/connection.js' {
  import { type Socket } from 'node:net';

  export class Connection {
    protected readonly socket: Socket;
    /** Why it was closed. */
    protected readonly error: Error | null;
    protected readonly closed: boolean;
    /** Resolves once all of a command is with the kernel. */
    protected writeCommand(command: unknown, options: unknown): Promise<void>;
    /** Closes it for good. */
    protected cleanup(error: Error): void;
  }
}
