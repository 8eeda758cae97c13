import { type ClientSession, type Collection, type Filter, ObjectId } from 'mongodb';
import { type Clock, later } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { badRequest } from '../../core/http/problem.js';
import { type Media, mediaCollection } from './media.model.js';
import { asAttachment, type Attachment } from './media.presenter.js';
import { UNUSED_FOR_MS } from './media.review.js';

/** So often the same one can be attached; with more its document would become large. */
const MOST_USES = 1_000;

/**
 * Media that something else refers to. They are attached before what refers to them is written: whatever becomes of
 * that, they are there as long as it may still come.
 */
export class Attachments {
  private readonly media: Collection<Media>;

  constructor(private readonly deps: { database: Database; clock: Clock }) {
    this.media = deps.database.collection(mediaCollection.name);
  }

  /**
   * Attaches media of the user's own to what will have this id, and answers with what it is to keep of them.
   * @throws Problem 400 `UNKNOWN_ATTACHMENT` where one is not there, or not the user's: which of both is not told
   */
  async attach(ownerId: string, mediaIds: readonly string[], useId: ObjectId): Promise<Attachment[]> {
    const $in = mediaIds.map((id) => new ObjectId(id));
    const own: Filter<Media> = {
      ...{ _id: { $in }, ownerId: new ObjectId(ownerId), status: 'READY' },
      [`uses.${MOST_USES - 1}`]: { $exists: false },
    };
    const found = new Map((await this.media.find(own).toArray()).map((media) => [media._id.toHexString(), media]));
    if (found.size < $in.length) throw unknownAttachment();
    const { matchedCount } = await this.media.updateMany(own, {
      $addToSet: { uses: useId },
      $set: this.reviewedLater(),
    });
    if (matchedCount < $in.length) {
      await this.release($in, useId);
      throw unknownAttachment();
    }
    return $in.flatMap((id) => {
      const media = found.get(id.toHexString());
      return media ? [asAttachment(media)] : [];
    });
  }

  /** What had them attached has them no longer, or never came to be. Twice is once. */
  async release(mediaIds: readonly ObjectId[], useId: ObjectId, session?: ClientSession): Promise<void> {
    await this.media.updateMany(
      { _id: { $in: [...mediaIds] }, uses: useId },
      { $pull: { uses: useId }, $set: this.reviewedLater() },
      session && { session },
    );
  }

  private reviewedLater(): Pick<Media, 'reviewAt'> {
    return { reviewAt: later(this.deps.clock.now(), UNUSED_FOR_MS) };
  }
}

function unknownAttachment() {
  return badRequest('UNKNOWN_ATTACHMENT', 'What is attached must be what one has uploaded, and still be there.');
}
