import { orKeyWith, roles, type Route, route } from '../../../core/http/route.js';
import {
  described,
  list,
  matching,
  named,
  oneOf,
  record,
  type Schema,
  shape,
  text,
  whole,
  withDefault,
} from '../../../core/http/schema.js';
import { parseInstant } from '../../../core/http/values.js';
import { CHANNELS, DELIVERY_STATUSES, IN_APP_STATUSES, NOTIFICATION_TYPE_NAMES } from '../notification.types.js';
import { type Grouping, GROUPINGS, type StatisticsService } from './statistics.service.js';

const DAY_OR_INSTANT = /^\d{4}-\d\d-\d\d(T.*)?$/;
const LIST_OF_GROUPINGS = /^(channel|type|day)(,(channel|type|day)){0,2}$/;

function day(description: string): Schema<string> {
  const schema = matching(DAY_OR_INSTANT, { max: 40, message: 'must be a day, as 2026-11-21, or a date-time' });
  return described(
    schema.custom((value: string, helpers) =>
      instantOf(value) ? value : helpers.message({ custom: 'must be a day that there is, as 2026-11-21' }),
    ),
    description,
  );
}

function instantOf(value: string): Date | undefined {
  return parseInstant(value.includes('T') ? value : `${value}T00:00:00Z`);
}

function groupings(): Schema<string> {
  const message = `must be a list of ${GROUPINGS.join(', ')}, with commas between them`;
  return matching(LIST_OF_GROUPINGS, { max: 20, message }).custom((value: string, helpers) => {
    const names = value.split(',');
    return new Set(names).size === names.length ? value : helpers.message({ custom: 'must not name anything twice' });
  });
}

const statisticsQuery = shape(
  { groupBy: withDefault(described(groupings(), 'In this order the rows are sorted.'), 'channel') },
  {
    from: day('The first day, in UTC; the 30th to the last unless given.'),
    to: day('The last day; today unless given.'),
  },
);

const count = whole({ min: 0 });
const ms = described(count, 'In milliseconds.');

const statisticsAnswer = named(
  'NotificationStatistics',
  shape({
    from: text(),
    to: text(),
    groupBy: list(oneOf(GROUPINGS)),
    data: list(
      shape(
        {
          counts: described(
            record([...DELIVERY_STATUSES, ...IN_APP_STATUSES], count),
            'How many are in which state by now; in the app: in which they came there.',
          ),
        },
        {
          channel: oneOf(CHANNELS),
          type: oneOf(NOTIFICATION_TYPE_NAMES),
          day: text(),
          latency: described(
            shape({ count, p50: ms, p95: ms, p99: ms }),
            'From creation to sent, to within a fifth; what waited for the end of quiet hours has that in it.',
          ),
        },
      ),
    ),
  }),
);

/** Numbers for those who look after the deliveries. */
export function statisticsRoutes(statistics: StatisticsService): Route[] {
  return [
    route({
      method: 'get',
      path: '/notifications/stats',
      tag: 'notifications',
      summary: 'How many notifications of some days are in which state, and how soon they were sent',
      description: 'A notification counts for the UTC day on which it was created. The numbers lag by a second or so.',
      access: orKeyWith('notifications:read', roles('admin')),
      query: statisticsQuery,
      problems: ['PERIOD_INVALID', 'PERIOD_TOO_LONG'],
      answer: { status: 200, body: statisticsAnswer },
      handle: ({ query: { from = '', to = '', groupBy } }) =>
        statistics.read({ from: instantOf(from), to: instantOf(to), groupBy: groupBy.split(',') as Grouping[] }),
    }),
  ];
}
