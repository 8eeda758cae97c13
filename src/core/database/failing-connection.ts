import { MongoErrorLabel, MongoNetworkError } from 'mongodb';
import { Connection } from 'mongodb/lib/cmap/connection.js';

/**
 * A connection of the driver on which every command fails once it is closed, and so that it is tried again. Of the
 * driver's own (7.8):
 *
 * - It waits until a command is with the kernel, and hears of nothing but an error of the socket meanwhile. Where the
 *   server reads no more, a command that fills the buffers of the kernel waited for ever when the driver gave the server
 *   up: whoever had written it, a lease or a lock in its hands, never went on.
 * - An error of the socket meanwhile went to the caller as it was, which nobody takes for an error of the database.
 * - Of all the writes that are under way as a server is lost, it makes only the first again: by the time of the others it
 *   holds their connections for obsolete, and does not say of their errors that they are to be tried again.
 */
export class FailingConnection extends Connection {
  protected override cleanup(error: Error): void {
    if (!this.closed) {
      if (error instanceof MongoNetworkError) error.addErrorLabel(MongoErrorLabel.RetryableWriteError);
      // Who waits for the socket is told by its error event; the driver destroys it without one.
      this.socket.destroy(error);
    }
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
