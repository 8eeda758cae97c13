import { type Notification } from '../notification.model.js';
import { type OutsideChannel } from '../notification.types.js';
import { type Facts } from '../recipient-facts.js';
import { type Settle } from './outcome.js';

/** What a channel can take up now. */
export interface Room {
  most: number;
  /** Where that is nothing: milliseconds until it is worth asking again. */
  againMs: number;
}

/** Whom notifications are for, and how these can be reached. */
export type Known = Pick<Facts, 'contact' | 'reach'>;

/** Sends notifications over one channel by whatever provider serves it. */
export interface ChannelSender {
  channel: OutsideChannel;
  /** How many notifications are taken up at once. */
  batchSize: number;
  /** The same of what is one of very many; fewer where each takes a call, so that others do not wait for all of them. */
  bulkSize?: number;
  /** How many batches one process sends at once. */
  concurrency: number;
  /** Nothing is claimed while no provider takes anything: an outage of hours is then not written down again and again. */
  room(): Room;
  /**
   * Says how the attempt ended for each notification, as it comes. Never rejects for a provider's failure.
   * @param known what was read a moment ago to decide that they be sent, where that is so: it need not be read again
   */
  send(notifications: Notification[], settle: Settle, known?: Known): Promise<void>;
  /** Waits for nothing more: what has no leave to be sent yet is given back. */
  hurry(): void;
  close(): Promise<void>;
}
