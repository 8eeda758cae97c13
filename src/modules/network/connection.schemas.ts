import { described, instant, named, objectId, oneOf, shape, text } from '../../core/http/schema.js';
import { userSummary } from '../users/index.js';
import { CONNECTION_STATUSES } from './connection.model.js';

export const DIRECTIONS = ['in', 'out'] as const;
export type Direction = (typeof DIRECTIONS)[number];

export const connectionBody = named('NewConnection', shape({ userId: objectId() }, { note: text({ max: 300 }) }));

export const connectionAnswer = named(
  'Connection',
  shape(
    {
      id: objectId(),
      user: userSummary,
      status: oneOf(CONNECTION_STATUSES),
      direction: described(oneOf(DIRECTIONS), '`out` where oneself had asked.'),
      createdAt: instant(),
      changedAt: instant(),
    },
    { note: text() },
  ),
);

export const connectionParams = shape({ connectionId: objectId() });
