import { type Collection, ObjectId } from 'mongodb';
import { type Clock } from '../../core/clock.js';
import { type Database } from '../../core/database/database.js';
import { isDuplicateKey } from '../../core/database/errors.js';
import { type Outbox } from '../../core/events/outbox.js';
import { type Page, type Pager } from '../../core/http/paging.js';
import { badRequest, conflict } from '../../core/http/problem.js';
import {
  type Report,
  type ReportCategory,
  reportCollection,
  type ReportOutcome,
  type ReportStatus,
} from './report.model.js';
import { reportClosed, reportCreated } from './report.schemas.js';
import { type Found } from './report.targets.js';

export interface ReportDeps {
  database: Database;
  outbox: Outbox;
  pager: Pager;
  clock: Clock;
}

/** Reports of what should not be here, and what moderators make of them. */
export class ReportService {
  private readonly reports: Collection<Report>;

  constructor(private readonly deps: ReportDeps) {
    this.reports = deps.database.collection(reportCollection.name);
  }

  /** @throws Problem 400 `CANNOT_REPORT_YOURSELF`, 409 `ALREADY_REPORTED` */
  async create(
    reporterId: string,
    { target, userId }: Found,
    { category, details }: { category: ReportCategory; details?: string },
  ): Promise<Report> {
    if (userId.equals(reporterId)) throw badRequest('CANNOT_REPORT_YOURSELF', 'This is your own.');
    const { database, outbox, clock } = this.deps;
    const report: Report = {
      _id: new ObjectId(),
      reporterId: new ObjectId(reporterId),
      target,
      userId,
      category,
      ...(details !== undefined && { details }),
      status: 'open',
      createdAt: clock.now(),
    };
    return database.inTransaction(async (session) => {
      try {
        await this.reports.insertOne(report, { session });
      } catch (error) {
        if (isDuplicateKey(error)) throw conflict('ALREADY_REPORTED', 'You have reported this; it will be looked at.');
        throw error;
      }
      await outbox.record(session, reportCreated, {
        actorId: reporterId,
        ...concerning(report),
        data: factsOf(report),
      });
      return report;
    });
  }

  /** One that a moderator may deal with: nobody deals with what is reported of themselves. */
  async find(moderatorId: string, id: string): Promise<Report | undefined> {
    const filter = { _id: new ObjectId(id), userId: { $ne: new ObjectId(moderatorId) } };
    return (await this.reports.findOne(filter)) ?? undefined;
  }

  /** The reports of a status that a moderator may deal with, the newest first. */
  list(
    moderatorId: string,
    { status, ...page }: { status: ReportStatus; limit: number; cursor?: string | undefined },
  ): Promise<Page<Report>> {
    return this.deps.pager.page<Report>({
      collection: this.reports,
      filter: { status, userId: { $ne: new ObjectId(moderatorId) } },
      sort: [['_id', -1]],
      scope: `reports ${status} for ${moderatorId}`,
      ...page,
    });
  }

  /**
   * Closes a report; of two moderators at once one is first.
   * @throws Problem 409 `REPORT_NOT_OPEN`
   */
  async close(moderatorId: string, { _id }: Report, outcome: ReportOutcome): Promise<Report> {
    const { database, outbox, clock } = this.deps;
    return database.inTransaction(async (session) => {
      const closed = await this.reports.findOneAndUpdate(
        { _id, status: 'open' },
        { $set: { status: outcome, handledBy: new ObjectId(moderatorId), handledAt: clock.now() } },
        { returnDocument: 'after', session },
      );
      if (!closed) throw conflict('REPORT_NOT_OPEN', 'Somebody has dealt with this report already.');
      await outbox.record(session, reportClosed, {
        actorId: moderatorId,
        ...concerning(closed),
        data: { ...factsOf(closed), outcome },
      });
      return closed;
    });
  }
}

/** To whom an event about a report matters: those who deal with reports. */
function concerning({ _id }: Report) {
  return { entity: { kind: 'report', id: _id.toHexString() }, audience: { roles: ['moderator', 'admin'] } };
}

function factsOf({ _id, reporterId, userId, target, category }: Report) {
  return {
    reportId: _id.toHexString(),
    reporterId: reporterId.toHexString(),
    userId: userId.toHexString(),
    kind: target.kind,
    targetId: target.id.toHexString(),
    category,
  };
}
