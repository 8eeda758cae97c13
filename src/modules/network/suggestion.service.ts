import { type Collection, type Document, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Visibility } from '../../core/visibility.js';
import { type PrivacySettingsService } from '../privacy/index.js';
import { type Peer, type Peers, type UserService, type UserSummary } from '../users/index.js';
import { type Connection, connectionCollection } from './connection.model.js';
import { counterpartOf } from './connection.service.js';
import { type Dismissal, dismissalCollection, type Reason } from './suggestion.model.js';

export interface SuggestionDeps {
  database: Database;
  clock: Clock;
  users: UserService;
  peers: Peers;
  visibility: Visibility;
  settings: Pick<PrivacySettingsService, 'reserved'>;
}

export interface Suggestion {
  user: UserSummary;
  mutualConnections: number;
  reason: Reason;
}

/** Through so many of one's newest connections others are looked for; */
const MOST_FRIENDS = 200;
/** so many of their connections are looked at on either side; */
const MOST_TIES = 10_000;
/** and so many of those found, with the most in common first, are compared. */
const MOST_ACQUAINTANCES = 200;
/** Further skills say little more. */
const MOST_SKILLS = 5;

/** People a user may know: those with connections, work, studies or skills in common. */
export class SuggestionService {
  private readonly connections: Collection<Connection>;
  private readonly dismissals: Collection<Dismissal>;

  constructor(private readonly deps: SuggestionDeps) {
    this.connections = deps.database.collection(connectionCollection.name);
    this.dismissals = deps.database.collection(dismissalCollection.name);
  }

  /** The best suggestions, the best one first. */
  async suggest(userId: string, limit: number): Promise<Suggestion[]> {
    const { users, peers, visibility, settings } = this.deps;
    const [user, ties, hidden, dismissed] = await Promise.all([
      users.get(userId),
      this.tiesOf(userId),
      visibility.hiddenFrom(userId),
      this.dismissedBy(userId),
    ]);
    const tied = ties.map((tie) => counterpartOf(tie, userId));
    // A block ends the connection a moment later: until then it is left out here.
    const friends = ties
      .filter((tie) => tie.status === 'accepted' && !hidden.has(counterpartOf(tie, userId)))
      .sort((one, other) => other.changedAt.getTime() - one.changedAt.getTime())
      .map((tie) => new ObjectId(counterpartOf(tie, userId)));
    const excluded = [userId, ...tied, ...hidden, ...dismissed].map((id) => new ObjectId(id));

    const [acquaintances, similar] = await Promise.all([
      this.acquaintances(friends.slice(0, MOST_FRIENDS), excluded),
      peers.find(user, excluded),
    ]);
    const ids = [...new Set([...acquaintances.keys(), ...similar])];
    const [compared, reserved] = await Promise.all([peers.compare(user, ids), settings.reserved('viewProfile', ids)]);
    // What a profile shows to some only, a suggestion must not tell the others.
    const shown = compared.map((peer) => (reserved.has(peer.id) ? withoutFacts(peer) : peer));

    const finalists = rank(shown, acquaintances).slice(0, limit);
    const exact = await this.mutual(
      finalists.map(({ id }) => new ObjectId(id)),
      friends,
    );
    return rank(finalists, exact).flatMap((peer) => {
      const mutualConnections = exact.get(peer.id) ?? 0;
      const reason = reasonFor(peer, mutualConnections);
      return reason ? [{ user: peer.summary, mutualConnections, reason }] : [];
    });
  }

  /** Never suggests the other one again; twice is once. */
  async dismiss(userId: string, dismissedId: string): Promise<void> {
    const key = { userId: new ObjectId(userId), dismissedId: new ObjectId(dismissedId) };
    const createdAt = this.deps.clock.now();
    await this.dismissals.updateOne(key, { $setOnInsert: { ...key, createdAt } }, { upsert: true });
  }

  /** With whom the user is connected, has asked or was asked, or has heard or said no. */
  private tiesOf(userId: string): Promise<Connection[]> {
    const own = new ObjectId(userId);
    const status = { $in: ['requested' as const, 'accepted' as const, 'rejected' as const] };
    const projection = { _id: 0, low: 1, high: 1, status: 1, changedAt: 1 };
    return this.connections
      .find(
        {
          $or: [
            { low: own, status },
            { high: own, status },
          ],
        },
        { projection },
      )
      .toArray();
  }

  private async dismissedBy(userId: string): Promise<string[]> {
    const found = await this.dismissals
      .find({ userId: new ObjectId(userId) }, { projection: { _id: 0, dismissedId: 1 } })
      .toArray();
    return found.map(({ dismissedId }) => dismissedId.toHexString());
  }

  /** Whom the friends know, with how many of them know each: those with the most. */
  private async acquaintances(friends: ObjectId[], excluded: ObjectId[]): Promise<Map<string, number>> {
    const found = await this.countBySide((one, other) => [
      { $match: { [one]: { $in: friends }, status: 'accepted' } },
      { $limit: MOST_TIES },
      { $match: { [other]: { $nin: excluded } } },
      { $group: { _id: `$${other}`, count: { $sum: 1 } } },
      { $sort: { count: -1, _id: 1 } },
      { $limit: MOST_ACQUAINTANCES },
    ]);
    const best = [...found].sort(([, one], [, other]) => other - one).slice(0, MOST_ACQUAINTANCES);
    return new Map(best);
  }

  /** How many of the friends each of these few knows. */
  private mutual(userIds: ObjectId[], friends: ObjectId[]): Promise<Map<string, number>> {
    return this.countBySide((one, other) => [
      { $match: { [one]: { $in: userIds }, status: 'accepted', [other]: { $in: friends } } },
      { $group: { _id: `$${one}`, count: { $sum: 1 } } },
    ]);
  }

  /** Counts on both sides that a user can stand on; each is a scan of one index, from its keys alone. */
  private async countBySide(
    pipeline: (one: 'low' | 'high', other: 'low' | 'high') => Document[],
  ): Promise<Map<string, number>> {
    const sides = await Promise.all(
      [pipeline('low', 'high'), pipeline('high', 'low')].map((stages) =>
        this.connections.aggregate<{ _id: ObjectId; count: number }>(stages).toArray(),
      ),
    );
    const counts = new Map<string, number>();
    for (const { _id, count } of sides.flat()) {
      const id = _id.toHexString();
      counts.set(id, (counts.get(id) ?? 0) + count);
    }
    return counts;
  }
}

function withoutFacts(peer: Peer): Peer {
  return { ...peer, company: false, cohort: false, department: false, skills: 0 };
}

/** Those with anything in common, the most first, and always in the same order. */
function rank(peers: Peer[], mutual: Map<string, number>): Peer[] {
  return peers
    .map((peer) => ({ peer, score: scoreOf(peer, mutual.get(peer.id) ?? 0) }))
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score || (one.peer.id < other.peer.id ? -1 : 1))
    .map(({ peer }) => peer);
}

/** Who knows one's friends is likelier known than who went to the same place. */
function scoreOf({ company, cohort, department, skills }: Peer, mutual: number): number {
  return 3 * mutual + 4 * Number(company) + 3 * Number(cohort) + 2 * Number(department) + Math.min(skills, MOST_SKILLS);
}

function reasonFor({ company, cohort, department, skills }: Peer, mutual: number): Reason | undefined {
  if (mutual > 0) return 'MUTUAL_CONNECTIONS';
  if (company) return 'SAME_COMPANY';
  if (cohort) return 'SAME_COHORT';
  if (department) return 'SAME_DEPARTMENT';
  return skills > 0 ? 'SHARED_SKILLS' : undefined;
}
