import { type Clock, DAY, later } from '../../../core/clock.js';
import { type Database } from '../../../core/database/database.js';
import { badRequest } from '../../../core/http/problem.js';
import { type Channel, DELIVERY_STATUSES, IN_APP_STATUSES, type NotificationType } from '../notification.types.js';
import { BUCKETS, percentile } from './latency.js';
import { type AnyStatus, type DailyStatistics, dailyStatisticsCollection } from './statistics.model.js';
import { dayOf } from './tally.js';

export const GROUPINGS = ['channel', 'type', 'day'] as const;
export type Grouping = (typeof GROUPINGS)[number];

const MOST_DAYS = 366;
const USUAL_DAYS = 30;
const STATUSES: readonly AnyStatus[] = [...DELIVERY_STATUSES, ...IN_APP_STATUSES];
const BUCKET_NAMES = Array.from({ length: BUCKETS }, (_, bucket) => `b${bucket}`);

/** The numbers of one group. */
export interface StatisticsRow {
  channel?: Channel;
  type?: NotificationType;
  day?: string;
  counts: Partial<Record<AnyStatus, number>>;
  /** In milliseconds from creation to sent; absent where nothing was sent. */
  latency?: { count: number; p50: number; p95: number; p99: number };
}

export interface StatisticsQuery {
  /** The first and the last day; the last 30 unless told. */
  from?: Date | undefined;
  to?: Date | undefined;
  groupBy: readonly Grouping[];
}

type Grouped = Record<string, number> & { _id: Partial<Record<Grouping, string>> };

/** How many notifications of some days are in which state, and how soon they were sent. */
export class StatisticsService {
  constructor(private readonly deps: { database: Database; clock: Clock }) {}

  /** @throws Problem 400 `PERIOD_INVALID`, `PERIOD_TOO_LONG` */
  async read({ from, to = this.deps.clock.now(), groupBy }: StatisticsQuery) {
    const [first, last] = [dayOf(from ?? later(to, -(USUAL_DAYS - 1) * DAY)), dayOf(to)];
    if (first > last) throw badRequest('PERIOD_INVALID', 'The last day is before the first.');
    if ((Date.parse(last) - Date.parse(first)) / DAY >= MOST_DAYS) {
      throw badRequest('PERIOD_TOO_LONG', `Ask for at most ${MOST_DAYS} days.`);
    }
    const sums: Record<string, { $sum: string }> = {};
    for (const status of STATUSES) sums[status] = { $sum: `$counts.${status}` };
    for (const name of BUCKET_NAMES) sums[name] = { $sum: `$latency.${name}` };
    const fields = Object.fromEntries(groupBy.map((field) => [field, `$${field}`]));
    const grouped = await this.deps.database
      .collection<DailyStatistics>(dailyStatisticsCollection.name)
      .aggregate<Grouped>([
        { $match: { day: { $gte: first, $lte: last } } },
        { $group: { _id: fields, ...sums } },
        { $sort: Object.fromEntries(groupBy.map((field) => [`_id.${field}`, 1])) },
      ])
      .toArray();
    const data = grouped.map(rowOf).filter(({ counts }) => Object.keys(counts).length > 0);
    return { from: first, to: last, groupBy: [...groupBy], data };
  }
}

function rowOf({ _id, ...sums }: Grouped): StatisticsRow {
  // What was created before anything was counted comes off the numbers, but was never added to them.
  const counts = STATUSES.flatMap((status) => {
    const count = sums[status] ?? 0;
    return count > 0 ? [[status, count] as const] : [];
  });
  const buckets = BUCKET_NAMES.map((name) => sums[name] ?? 0);
  const count = buckets.reduce((sum, each) => sum + each, 0);
  const within = (share: number): number => percentile(buckets, share);
  return {
    ...(_id as Pick<StatisticsRow, Grouping>),
    counts: Object.fromEntries(counts),
    ...(count > 0 && { latency: { count, p50: within(0.5), p95: within(0.95), p99: within(0.99) } }),
  };
}
