import { notFound } from '../../core/http/problem.js';
import { type Visibility } from '../../core/visibility.js';
import { type Member, type Members, type Roster } from './members.js';

/** A conversation as one of its members enters it. */
export interface Entered extends Roster {
  own: Member;
  /** Users who must not appear to this member. */
  hidden: ReadonlySet<string>;
  /** Of a direct conversation. */
  otherId?: string;
}

export interface GateDeps {
  members: Members;
  visibility: Pick<Visibility, 'hiddenFrom'>;
  /** Who has given up the account: what they said stays, and is nobody's secret. */
  gone: () => Promise<ReadonlySet<string>>;
}

/** For whom a conversation is there: for its members, and where no block stands between the two of a direct one. */
export class Gate {
  constructor(private readonly deps: GateDeps) {}

  /** @returns undefined where there is no such conversation for this user */
  async enter(userId: string, conversationId: string): Promise<Entered | undefined> {
    const roster = await this.rosterFor(userId, conversationId);
    const own = roster?.members.get(userId);
    if (!roster || !own || roster.isHidden) return undefined;
    const hidden = await this.deps.visibility.hiddenFrom(userId);
    if (roster.type === 'group') return { ...roster, own, hidden };
    const otherId = [...roster.members.keys()].find((id) => id !== userId);
    // A block closes it a moment later for good; nobody is to look through that moment.
    if (otherId !== undefined && hidden.has(otherId) && !(await this.deps.gone()).has(otherId)) return undefined;
    return { ...roster, own, hidden, ...(otherId !== undefined && { otherId }) };
  }

  /** @throws Problem 404 `CONVERSATION_NOT_FOUND` */
  async mustEnter(userId: string, conversationId: string): Promise<Entered> {
    const entered = await this.enter(userId, conversationId);
    if (!entered) throw notFound('CONVERSATION_NOT_FOUND', 'There is no such conversation.');
    return entered;
  }

  /** Who seems not to be in it may have come a moment ago by another node: that is read anew. */
  private async rosterFor(userId: string, conversationId: string): Promise<Roster | undefined> {
    const { members } = this.deps;
    const remembered = await members.of(conversationId);
    if (remembered?.members.has(userId) === true && !remembered.isHidden) return remembered;
    members.forget(conversationId);
    return members.of(conversationId);
  }
}
