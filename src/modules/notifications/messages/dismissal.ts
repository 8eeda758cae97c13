import { type Collection, type ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Onlookers, type Unread } from '../../chat/index.js';
import { type MessageNews, messageNewsCollection } from './news.model.js';

export interface DismissalDeps {
  database: Database;
  clock: Clock;
  unread: Pick<Unread, 'inSmall'>;
  onlookers: Pick<Onlookers, 'among'>;
}

/** Conversations that are asked for in one query. */
const AT_ONCE = 500;
/** With more members there is nearly always somebody who is to be told. */
const MOST_MEMBERS = 10;

/** A place in a conversation, and who has said what stands there, if that is known: they have read it. */
export interface SaidPlace {
  conversationId: ObjectId;
  seq: number;
  senderId?: ObjectId | undefined;
}

/**
 * Does away with the news of conversations in which nobody is to be told: all have read it, or have it on the screen.
 * Where people talk to one another that is nearly all of it. A few queries answer it for hundreds of conversations, and
 * no transaction is needed: what was read stays read, and news to which something is added meanwhile is left alone.
 */
export class Dismissal {
  private readonly rows: Collection<MessageNews>;

  constructor(private readonly deps: DismissalDeps) {
    this.rows = deps.database.collection(messageNewsCollection.name);
  }

  /** Goes on as long as there is any. */
  async run(): Promise<void> {
    for (let isMore = true; isMore;) isMore = await this.dismissSome();
  }

  /** Those of these places of which somebody may have to be told. */
  async without<P extends SaidPlace>(places: readonly P[]): Promise<P[]> {
    const wanted: P[] = [];
    for (let at = 0; at < places.length; at += AT_ONCE) {
      const some = places.slice(at, at + AT_ONCE);
      const nobodys = await this.amongSome(some);
      wanted.push(...some.filter((place) => !nobodys.has(place)));
    }
    return wanted;
  }

  private async dismissSome(): Promise<boolean> {
    const due = await this.rows
      .find({
        // Who is named may be told though they have muted the conversation.
        ...{ kind: 'said', claim: null, after: { $exists: false }, mentioned: { $exists: false } },
        nextAttemptAt: { $lte: this.deps.clock.now() },
      })
      .sort({ nextAttemptAt: 1 })
      .limit(AT_ONCE)
      .toArray();
    if (due.length === 0) return false;
    const dismissed = await this.amongSome(due);
    if (dismissed.size === 0) return false;
    await this.rows.bulkWrite(
      [...dismissed].map(({ _id, seq }) => ({ deleteOne: { filter: { _id, seq, claim: null } } })),
      { ordered: false },
    );
    return due.length === AT_ONCE;
  }

  /** Those of these places of which nobody is to be told. */
  private async amongSome<P extends SaidPlace>(places: readonly P[]): Promise<Set<P>> {
    const { unread, onlookers } = this.deps;
    const found = [...(await unread.inSmall(places, MOST_MEMBERS))];
    const others = found.map(([place, members]) => ({
      place,
      members: members.filter((id) => place.senderId?.equals(id) !== true),
    }));
    const isLooking = await onlookers.among(
      others.flatMap(({ place: { conversationId }, members }) => members.map((userId) => ({ conversationId, userId }))),
    );
    const nobodys = others.filter(({ place: { conversationId }, members }) =>
      members.every((userId) => isLooking(conversationId, userId)),
    );
    return new Set(nobodys.map(({ place }) => place));
  }
}
