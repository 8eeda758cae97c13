import { type Notification } from '../notification.model.js';
import { type OutsideChannel } from '../notification.types.js';
import { type Outcome } from './outcome.js';

/** Sends notifications over one channel by whatever provider serves it. */
export interface ChannelSender {
  channel: OutsideChannel;
  /** How many notifications are taken up at once. */
  batchSize: number;
  /** How many batches one process sends at once. */
  concurrency: number;
  /** How the attempt ended for each notification, by its id. Never rejects for a provider's failure. */
  send(notifications: Notification[]): Promise<Map<string, Outcome>>;
  close(): Promise<void>;
}
