import { type Collection, type ObjectId } from 'mongodb';
import { type Clock, DAY } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Media, mediaCollection } from './media.model.js';
import { removeMedia } from './media.removal.js';

/** What nothing has referred to for so long is removed. */
export const UNUSED_FOR_MS = DAY;

/** Media that are looked at together. */
const AT_ONCE = 100;

/** Which of these is there and has something attached. */
export type FindUses = (ids: readonly ObjectId[]) => Promise<ObjectId[]>;

export interface ReviewDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  findUses: FindUses;
}

/**
 * Removes what nothing refers to. Attaching, and what ends that, puts the review off by a day, and each step here is
 * taken only if that has not happened since: so nothing is removed that is being attached, and what was only about to
 * be attached a day ago never will be.
 */
export class MediaReview {
  private readonly media: Collection<Media>;

  constructor(private readonly deps: ReviewDeps) {
    this.media = deps.database.collection(mediaCollection.name);
  }

  /** Looks at some of those that are due. @returns how many */
  async reviewSome(): Promise<number> {
    const due = await this.media
      .find({ reviewAt: { $lte: this.deps.clock.now() } })
      .sort({ reviewAt: 1 })
      .limit(AT_ONCE)
      .toArray();
    const ids = due.flatMap(({ uses }) => uses);
    const found = ids.length > 0 ? await this.deps.findUses(ids) : [];
    const there = new Set(found.map((id) => id.toHexString()));
    for (const each of due) {
      const gone = each.uses.filter((id) => !there.has(id.toHexString()));
      await this.settle(each, gone);
    }
    return due.length;
  }

  private async settle({ _id, uses, reviewAt }: Media, gone: ObjectId[]): Promise<void> {
    const asSeen = { _id, ...(reviewAt && { reviewAt }) };
    if (gone.length === uses.length) await removeMedia(this.deps, asSeen);
    else await this.media.updateOne(asSeen, { $pullAll: { uses: gone }, $unset: { reviewAt: 1 } });
  }
}
