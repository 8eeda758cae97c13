import { Connection } from 'mongodb/lib/cmap/connection.js';

/**
 * A connection of the driver that lets no command wait once it is closed.
 *
 * The driver (7.8) waits until a command is with the kernel, and hears of nothing but an error of the socket meanwhile.
 * Where the server reads no more, a command that fills the buffers of the kernel so waited for ever when the driver
 * gave the server up: whoever had written it, a lease or a lock in its hands, never went on. And an error of the socket
 * went to the caller as it was, which nobody takes for an error of the database: it was not tried again.
 */
export class FailingConnection extends Connection {
  protected override cleanup(error: Error): void {
    // Who waits for the socket is told by its error event; the driver destroys it without one.
    if (!this.closed) this.socket.destroy(error);
    super.cleanup(error);
  }

  protected override async writeCommand(command: unknown, options: unknown): Promise<void> {
    try {
      await super.writeCommand(command, options);
    } catch (error) {
      throw this.error ?? error;
    }
  }
}
