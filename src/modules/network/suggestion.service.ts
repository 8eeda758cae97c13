import { type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { type Visibility } from '../../core/visibility.js';
import { type PrivacySettingsService } from '../privacy/index.js';
import { type Peer, type Peers, type UserService, type UserSummary } from '../users/index.js';
import { type Circles, type Known } from './circles.js';
import { type Connection, connectionCollection } from './connection.model.js';
import { counterpartOf } from './connection.service.js';
import { type Dismissal, dismissalCollection, type Reason } from './suggestion.model.js';

export interface SuggestionDeps {
  database: Database;
  clock: Clock;
  users: UserService;
  peers: Peers;
  circles: Circles;
  visibility: Visibility;
  settings: Pick<PrivacySettingsService, 'reserved'>;
}

export interface Suggestion {
  user: UserSummary;
  mutualConnections: number;
  reason: Reason;
}

/** Through so many of one's newest connections others are looked for. */
const MOST_FRIENDS = 200;
/** So many of those found, who know the most of them, are compared. */
const MOST_ACQUAINTANCES = { least: 100, perSuggestion: 4 };
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

  /** The best suggestions, the best one first. */
  async suggest(userId: string, limit: number): Promise<Suggestion[]> {
    const { users, peers, circles, settings } = this.deps;
    const [{ connected, friends, hidden, near }, user, asked, dismissed] = await Promise.all([
      this.surroundings(userId),
      users.get(userId),
      this.askedWith(userId),
      this.dismissedBy(userId),
    ]);
    const excluded = new Set([userId, ...connected, ...asked, ...hidden, ...dismissed]);
    const { ids: acquaintances, isEnough } = contenders(near, excluded, limit);
    const similar = isEnough ? [] : await peers.find(user, toIds(excluded));
    const ids = [...new Set([...acquaintances, ...similar])];
    const [compared, reserved] = await Promise.all([peers.compare(user, ids), settings.reserved('viewProfile', ids)]);
    // What a profile shows to some only, a suggestion must not tell the others.
    const shown = compared.map((peer) => (reserved.has(peer.id) ? withoutFacts(peer) : peer));

    const finalists = rank(shown, near.countOf).slice(0, limit);
    const isExact = near.isComplete && friends.length <= MOST_FRIENDS;
    const [shared, summaries] = await Promise.all([
      isExact ? undefined : circles.countShared(idsOf(finalists), friends),
      users.summaries(idsOf(finalists)),
    ]);
    const mutual = shared ? (id: string) => shared.get(id) ?? 0 : near.countOf;
    return rank(finalists, mutual).flatMap((peer) => {
      const mutualConnections = mutual(peer.id);
      const [summary, reason] = [summaries.get(peer.id), reasonFor(peer, mutualConnections)];
      return summary && reason ? [{ user: summary, mutualConnections, reason }] : [];
    });
  }

  /** Whom the user knows and must not see, and how many of the newest of those friends know each of whom they know. */
  private async surroundings(userId: string) {
    const { circles, visibility } = this.deps;
    const [connected, hidden] = await Promise.all([circles.of(userId), visibility.hiddenFrom(userId)]);
    // A block ends the connection a moment later: until then it is left out here.
    const friends = connected.filter((id) => !hidden.has(id));
    return { connected, friends, hidden, near: await circles.countKnownTo(friends.slice(-MOST_FRIENDS)) };
  }

  /** Never suggests the other one again; twice is once. */
  async dismiss(userId: string, dismissedId: string): Promise<void> {
    const key = { userId: new ObjectId(userId), dismissedId: new ObjectId(dismissedId) };
    const createdAt = this.deps.clock.now();
    await this.dismissals.updateOne(key, { $setOnInsert: { ...key, createdAt } }, { upsert: true });
  }

  /** Whom the user has asked or was asked by, and who has heard or said no; from the keys of two indexes alone. */
  private async askedWith(userId: string): Promise<string[]> {
    const own = new ObjectId(userId);
    const status = { $in: ['requested' as const, 'rejected' as const] };
    const projection = { _id: 0, low: 1, high: 1 };
    const $or = [
      { low: own, status },
      { high: own, status },
    ];
    const found = await this.connections.find({ $or }, { projection, limit: MOST_LEFT_OUT }).toArray();
    return found.map((tie) => counterpartOf(tie, userId));
  }

  private async dismissedBy(userId: string): Promise<string[]> {
    const found = await this.dismissals
      .find({ userId: new ObjectId(userId) }, { projection: { _id: 0, dismissedId: 1 }, limit: MOST_LEFT_OUT })
      .toArray();
    return found.map(({ dismissedId }) => dismissedId.toHexString());
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

function idsOf(peers: Peer[]): string[] {
  return peers.map(({ id }) => id);
}

function toIds(ids: Iterable<string>): ObjectId[] {
  return [...ids].map((id) => new ObjectId(id));
}

function withoutFacts(peer: Peer): Peer {
  return { ...peer, company: false, cohort: false, department: false, skills: 0 };
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
