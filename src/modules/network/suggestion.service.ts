import { type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Visibility } from '../../core/visibility.js';
import { type Peer, type Peers, type UserSummary } from '../users/index.js';
import { type Circles, type Known } from './circles.js';
import { type Connection, connectionCollection } from './connection.model.js';
import { counterpartOf } from './connection.service.js';
import { type Dismissal, dismissalCollection, type Reason } from './suggestion.model.js';

export interface SuggestionDeps {
  database: Database;
  clock: Clock;
  peers: Peers;
  circles: Circles;
  visibility: Visibility;
}

export interface Suggestion {
  user: UserSummary;
  mutualConnections: number;
  reason: Reason;
}

/** What somebody's suggestions are found from. */
export interface Surroundings {
  userId: string;
  friends: string[];
  /** How many of the newest friends know each of whom they know. */
  near: Known;
  /** Never suggested. */
  excluded: ReadonlySet<string>;
}

/** Through so many of one's newest connections others are looked for. */
const MOST_FRIENDS = 100;
/** So many of those found, who know the most of them, are compared. */
const MOST_ACQUAINTANCES = { least: 50, perSuggestion: 4 };
/** So many of those who are never suggested are heeded, of each kind; to dismiss so many takes days. */
const MOST_LEFT_OUT = 10_000;
/** Further skills say little more. */
const MOST_SKILLS = 5;
/** Who knows one's friends is likelier known than who went to the same place. */
const WEIGHTS = { mutual: 3, company: 4, cohort: 3, department: 2, skill: 1 };
const MOST_BY_FACTS = WEIGHTS.company + WEIGHTS.cohort + WEIGHTS.department + MOST_SKILLS * WEIGHTS.skill;

/** People a user may know: those with connections, work, studies or skills in common. */
export class SuggestionService {
  private readonly connections: Collection<Connection>;
  private readonly dismissals: Collection<Dismissal>;

  constructor(private readonly deps: SuggestionDeps) {
    this.connections = deps.database.collection(connectionCollection.name);
    this.dismissals = deps.database.collection(dismissalCollection.name);
  }

  /** Whom the user knows, whom those know, and who is not to be suggested. */
  async surroundings(userId: string): Promise<Surroundings> {
    const { circles, visibility } = this.deps;
    const [connected, hidden] = await Promise.all([circles.of(userId), visibility.hiddenFrom(userId)]);
    // A block ends the connection a moment later: until then it is left out here.
    const friends = connected.filter((id) => !hidden.has(id));
    // Who is left out could be read at once, but everything waits for the first circle, and nothing for this.
    const [near, leftOut] = await Promise.all([
      circles.countKnownTo(friends.slice(-MOST_FRIENDS)),
      this.leftOut(userId),
    ]);
    return { userId, friends, near, excluded: new Set([userId, ...connected, ...hidden, ...leftOut]) };
  }

  /** The best suggestions, the best one first. */
  async suggest({ userId, friends, near, excluded }: Surroundings, limit: number): Promise<Suggestion[]> {
    const { peers, circles } = this.deps;
    const { ids: acquaintances, isEnough } = contenders(near, excluded, limit);
    const similar = isEnough ? [] : await peers.find(userId, toIds(excluded));
    const found = [...new Set([...acquaintances, ...similar])];
    const isExact = near.isComplete && friends.length <= MOST_FRIENDS;
    const [compared, shared] = await Promise.all([
      peers.compare(userId, found),
      isExact ? undefined : circles.countShared(found, friends),
    ]);
    const mutual = shared ? (id: string) => shared.get(id) ?? 0 : near.countOf;
    return rank(compared, mutual)
      .slice(0, limit)
      .flatMap((peer) => {
        const mutualConnections = mutual(peer.id);
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

  /**
   * Whom the user has asked or was asked by, who has heard or said no, and whom the user has dismissed: from the keys of
   * three indexes alone, in one trip.
   */
  private async leftOut(userId: string): Promise<string[]> {
    const own = new ObjectId(userId);
    const status = { $in: ['requested', 'rejected'] };
    const ties = [
      { low: own, status },
      { high: own, status },
    ];
    const dismissed = [
      { $match: { userId: own } },
      { $limit: MOST_LEFT_OUT },
      { $project: { _id: 0, dismissedId: 1 } },
    ];
    const found = await this.connections
      .aggregate<Pick<Connection, 'low' | 'high'> | Pick<Dismissal, 'dismissedId'>>([
        { $match: { $or: ties } },
        { $limit: MOST_LEFT_OUT },
        { $project: { _id: 0, low: 1, high: 1 } },
        { $unionWith: { coll: dismissalCollection.name, pipeline: dismissed } },
      ])
      .toArray();
    return found.map((each) => ('dismissedId' in each ? each.dismissedId.toHexString() : counterpartOf(each, userId)));
  }
}

/**
 * Those who can be among the best so many, whatever their profiles say; and whether these are enough, because nobody
 * without mutual connections can be.
 */
function contenders(known: Known, excluded: ReadonlySet<string>, limit: number): { ids: string[]; isEnough: boolean } {
  const most = Math.max(MOST_ACQUAINTANCES.least, MOST_ACQUAINTANCES.perSuggestion * limit);
  const ids: string[] = [];
  let least = 0;
  for (const [id, count] of known.commonest()) {
    if (count < least || ids.length >= most) break;
    if (excluded.has(id)) continue;
    ids.push(id);
    if (ids.length === limit) least = count - MOST_BY_FACTS / WEIGHTS.mutual;
  }
  return { ids, isEnough: least > 0 };
}

function toIds(ids: Iterable<string>): ObjectId[] {
  return [...ids].map((id) => new ObjectId(id));
}

/** Those with anything in common, the most first, and always in the same order. */
function rank(peers: Peer[], mutual: (userId: string) => number): Peer[] {
  return peers
    .map((peer) => ({ peer, score: scoreOf(peer, mutual(peer.id)) }))
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score || (one.peer.id < other.peer.id ? -1 : 1))
    .map(({ peer }) => peer);
}

function scoreOf({ company, cohort, department, skills }: Peer, mutual: number): number {
  return (
    WEIGHTS.mutual * mutual +
    WEIGHTS.company * Number(company) +
    WEIGHTS.cohort * Number(cohort) +
    WEIGHTS.department * Number(department) +
    WEIGHTS.skill * Math.min(skills, MOST_SKILLS)
  );
}

function reasonFor({ company, cohort, department, skills }: Peer, mutual: number): Reason | undefined {
  if (mutual > 0) return 'MUTUAL_CONNECTIONS';
  if (company) return 'SAME_COMPANY';
  if (cohort) return 'SAME_COHORT';
  if (department) return 'SAME_DEPARTMENT';
  return skills > 0 ? 'SHARED_SKILLS' : undefined;
}
