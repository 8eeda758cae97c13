import { type ClientSession, type Collection, type ObjectId } from 'mongodb';
import { type Database } from '../../../core/database/database.js';
import { type Step } from '../../../core/jobs/step-worker.js';
import { type Unread } from '../../chat/index.js';
import { type UserService } from '../../users/index.js';
import { type Change, copyOf, type InboxChanges } from '../inbox-changes.js';
import { type Notification } from '../notification.model.js';
import { type Templated, textOf } from '../texts.js';
import { type Quote, quoteOf } from './drafts.js';
import { type MessageFacts, type MessageNews } from './news.model.js';

/** Notifications of one transaction. */
const PAGE = 200;

export interface RewordingDeps {
  database: Database;
  unread: Pick<Unread, 'message'>;
  users: Pick<UserService, 'contacts'>;
  changes: Pick<InboxChanges, 'publish'>;
}

/**
 * Puts what a message says since it was edited in the place of what it said, wherever it was told of and not read: in the
 * app, and in whatever has not been sent, as a mail that waits for ten minutes. What was sent is not sent again: one
 * message calls nobody twice. What counts is what it says now and not which edit said so, so that any order ends well.
 */
export class Rewording {
  private readonly notifications: Collection<Notification>;

  constructor(private readonly deps: RewordingDeps) {
    this.notifications = deps.database.collection('notifications');
  }

  async step(session: ClientSession, news: MessageNews): Promise<Step<MessageNews>> {
    const { conversationId, messageId, after } = news;
    const message = messageId && (await this.deps.unread.message(session, messageId));
    // What was deleted since is taken back by itself.
    if (!message?.senderId || message.deletedAt) return 'done';
    const sender = message.senderId.toHexString();
    const actor = (await this.deps.users.contacts([sender])).get(sender)?.name;
    if (actor === undefined) return 'done';
    const page = await this.notifications
      .find({ unreadIn: conversationId, ...(after && { _id: { $gt: after } }) }, { session })
      .sort({ _id: 1 })
      .limit(PAGE)
      .toArray();
    const told = [...page, ...(await this.inLines(session, page, message._id))];
    const changes = told
      .filter((each) => quotes(each, message._id))
      .flatMap((each) => reworded(each, quoteOf(message), actor));
    await this.deps.changes.publish(session, changes);
    const last = page.at(-1);
    return !last || page.length < PAGE ? 'done' : { $set: { after: last._id } };
  }

  /** Those that are told with these and quote it: they show it where the newer ones are taken back. */
  private async inLines(
    session: ClientSession,
    shown: readonly Notification[],
    messageId: ObjectId,
  ): Promise<Notification[]> {
    const lines = shown.flatMap(({ line }) => line ?? []);
    if (lines.length === 0) return [];
    return this.notifications
      .find(
        { line: { $in: lines }, 'channels.inApp.status': null, 'data.messageId': messageId.toHexString() },
        { session },
      )
      .toArray();
  }
}

/** Not where its words were taken out, since its reader has deleted it for themself. */
function quotes({ data, withdrawn, deletedAt }: Notification, messageId: ObjectId): boolean {
  const { messageId: quoted, excerpt, attached } = data as MessageFacts;
  const hasWords = excerpt !== '' || attached !== undefined;
  return quoted === messageId.toHexString() && hasWords && !withdrawn && !deletedAt;
}

/** Nothing where it says so already. */
function reworded(before: Notification, quote: Quote, actor: string): Change[] {
  const { excerpt, attached, ...facts } = before.data as MessageFacts;
  if (excerpt === quote.excerpt && attached === quote.attached) return [];
  const data = { ...facts, ...quote };
  const { body } = textOf(before.type as Templated, before.locale, { ...data, actor });
  return [{ before, after: Object.assign(copyOf(before), { body, data }) }];
}
