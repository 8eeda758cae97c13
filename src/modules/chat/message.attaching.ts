import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { Problem } from '../../core/http/problem.js';
import { type Attachments, type FindUses } from '../media/index.js';
import { type Message, messageCollection } from './message.model.js';
import { type MessageWriter, type NewMessage } from './message.writer.js';

export interface AttachingDeps {
  writer: MessageWriter;
  attachments: Pick<Attachments, 'attach' | 'release'>;
}

/**
 * Messages with media. These are attached first, to the id that the message will have: then it is written together with
 * all others. If it never comes to be, the review of the media finds that out.
 */
export class MessageAttaching {
  constructor(private readonly deps: AttachingDeps) {}

  /**
   * Writes a message with media of its sender, or answers with the one written with the same `clientId`, whatever has
   * become of its media since.
   * @throws Problem 400 `UNKNOWN_ATTACHMENT`, 409 `CLIENT_ID_REUSED`, 503 `OVERLOADED`
   */
  async write(message: NewMessage, mediaIds: readonly string[]): Promise<Message> {
    const { writer, attachments } = this.deps;
    const before = await writer.written(message);
    if (before) return before;
    const _id = new ObjectId();
    const attached = await attachments.attach(message.senderId.toHexString(), mediaIds, _id);
    const release = () =>
      attachments.release(
        attached.map(({ id }) => id),
        _id,
      );
    try {
      const written = await writer.write({ _id, ...message, attachments: attached });
      // The same was sent at the same time, and that one has them.
      if (!written._id.equals(_id)) await release();
      return written;
    } catch (error) {
      // After any other error it may have been written all the same.
      if (error instanceof Problem) await release();
      throw error;
    }
  }
}

/** Which of these are ids of messages that have media. */
export function messagesWithMedia(database: Database): FindUses {
  const messages = database.collection<Message>(messageCollection.name);
  return async (ids) => {
    const withMedia = { _id: { $in: [...ids] }, attachments: { $exists: true } };
    const found = await messages.find(withMedia, { projection: { _id: 1 } }).toArray();
    return found.map(({ _id }) => _id);
  };
}
