import { type ClientSession, type Collection, type Filter, ObjectId } from 'mongodb';
import { type Clock } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { type Outbox } from '../../../core/events/outbox.js';
import { type Page, type Pager } from '../../../core/http/paging.js';
import { notFound } from '../../../core/http/problem.js';
import { type UserService } from '../../users/index.js';
import { type MailClosure } from '../channel-decision.js';
import { addressReopened, addressSuppressed, suppressionAdded, suppressionLifted } from './suppression.events.js';
import {
  hashOfAddress,
  spelt,
  type Suppression,
  suppressionCollection,
  type SuppressionReason,
  type SuppressionSource,
} from './suppression.model.js';

/**
 * What a reason closes an address to. A mailbox that does not exist gets nothing, and every further try costs the
 * good name that other people's mail depends on. Where an admin said no, nobody may make us write by asking for a
 * password reset. But who called our news spam, or wants none, has a mailbox, and must get back into the account. What
 * is sent to a phone that answered STOP is held by the carrier, whatever it is.
 */
const CLOSURES: Readonly<Record<SuppressionReason, MailClosure>> = {
  bounce: 'everything',
  manual: 'everything',
  complaint: 'allButSecurity',
  unsubscribe: 'allButSecurity',
  stop: 'everything',
};

export interface NewSuppression {
  address: string;
  reason: SuppressionReason;
  source: SuppressionSource;
  userId?: string;
  error?: string;
}

export interface SuppressionFilter {
  address?: string | undefined;
  reason?: SuppressionReason | undefined;
}

export interface SuppressionDeps {
  database: Database;
  outbox: Outbox;
  clock: Clock;
  pager: Pager;
  users: Pick<UserService, 'findByEmail'>;
  /** What addresses are hashed with; never another one, since what is erased cannot be hashed anew. */
  key: Buffer;
}

/** Addresses that get no mail, and numbers that get no SMS. */
export class SuppressionService {
  private readonly suppressions: Collection<Suppression>;

  constructor(private readonly deps: SuppressionDeps) {
    this.suppressions = deps.database.collection(suppressionCollection.name);
  }

  /** What each of the addresses is closed to, in one query; `undefined` for those that get everything. */
  async among(addresses: readonly string[]): Promise<(address: string) => MailClosure | undefined> {
    if (addresses.length === 0) return () => undefined;
    const hashes = new Map(addresses.map((address) => [address, this.hash(address)]));
    const found = await this.suppressions
      .find(
        { addressHash: { $in: [...new Set(hashes.values())] } },
        { projection: { _id: 0, addressHash: 1, reason: 1 } },
      )
      .toArray();
    const closures = new Map<string, MailClosure>();
    for (const { addressHash, reason } of found) {
      if (closures.get(addressHash) !== 'everything') closures.set(addressHash, CLOSURES[reason]);
    }
    return (address) => closures.get(hashes.get(address) ?? this.hash(address));
  }

  /** Newest first. */
  list({ limit, cursor, ...wanted }: SuppressionFilter & { limit: number; cursor?: string | undefined }) {
    const filter = this.filterOf(wanted);
    return this.deps.pager.page<Suppression>({
      collection: this.suppressions,
      filter,
      sort: [['_id', -1]],
      scope: `suppressions ${JSON.stringify(filter)}`,
      limit,
      cursor,
    }) as Promise<Page<Suppression>>;
  }

  /** Has an address get no mail, as an admin wishes; one that the admins have suppressed before stays as it is. */
  async suppress(adminId: string, address: string): Promise<Suppression> {
    const owner = await this.deps.users.findByEmail(spelt(address));
    return this.deps.database.inTransaction(async (session) => {
      const userId = owner?._id.toHexString();
      const manual = { address, reason: 'manual', source: 'admin', ...(userId !== undefined && { userId }) } as const;
      await this.add(session, [manual], adminId);
      const stored = await this.suppressions.findOne(this.filterOf(manual), { session });
      if (!stored) throw missing();
      return stored;
    });
  }

  /** Adds what is not there yet. */
  async learn(added: readonly NewSuppression[]): Promise<void> {
    if (added.length > 0) await this.deps.database.inTransaction((session) => this.add(session, added));
  }

  /** Adds what is not there yet, within the caller's transaction: adding the same again changes nothing. */
  async add(session: ClientSession, added: readonly NewSuppression[], actorId?: string): Promise<void> {
    if (added.length === 0) return;
    const createdAt = this.deps.clock.now();
    const rows = added.map(({ address, reason, source, userId, error }): Suppression => ({
      _id: new ObjectId(),
      addressHash: this.hash(address),
      address: spelt(address),
      ...(userId !== undefined && { userId: new ObjectId(userId) }),
      reason,
      source,
      ...(error !== undefined && { error }),
      createdAt,
    }));
    const { upsertedIds } = await this.suppressions.bulkWrite(
      rows.map(({ addressHash, reason, ...rest }) => ({
        updateOne: { filter: { addressHash, reason }, update: { $setOnInsert: rest }, upsert: true },
      })),
      { session },
    );
    const isNew = ({ _id }: Suppression): boolean =>
      Object.values(upsertedIds).some((id) => _id.equals(id as ObjectId));
    await this.deps.outbox.recordAll(
      session,
      actorId === undefined ? addressSuppressed : suppressionAdded,
      rows.filter(isNew).map((row) => about(row, actorId)),
    );
  }

  /**
   * Takes a suppression back; one for another reason stays.
   * @throws Problem 404 `SUPPRESSION_NOT_FOUND`, also where someone else was quicker
   */
  async lift(adminId: string, id: string): Promise<void> {
    const { database, outbox } = this.deps;
    await database.inTransaction(async (session) => {
      const lifted = await this.suppressions.findOneAndDelete({ _id: new ObjectId(id) }, { session });
      if (!lifted) throw missing();
      await outbox.record(session, suppressionLifted, about(lifted, adminId));
    });
  }

  /** Takes back what its owner has said, within the caller's transaction, now that they say something else. */
  async reopen(session: ClientSession, address: string, reason: SuppressionReason): Promise<void> {
    const lifted = await this.suppressions.findOneAndDelete(this.filterOf({ address, reason }), { session });
    if (lifted) await this.deps.outbox.record(session, addressReopened, about(lifted, undefined));
  }

  private filterOf({ address, reason }: SuppressionFilter): Filter<Suppression> {
    return { ...(address !== undefined && { addressHash: this.hash(address) }), ...(reason && { reason }) };
  }

  private hash(address: string): string {
    return hashOfAddress(this.deps.key, address);
  }
}

function about({ _id, reason, source, userId }: Suppression, actorId: string | undefined) {
  return {
    ...(actorId !== undefined && { actorId }),
    entity: { kind: 'suppression', id: _id.toHexString() },
    data: { reason, source, ...(userId && { userId: userId.toHexString() }) },
  };
}

function missing() {
  return notFound('SUPPRESSION_NOT_FOUND', 'There is no such suppression.');
}
