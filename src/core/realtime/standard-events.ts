import { type Infer, instant, shape, text } from '../http/schema.js';
import { type ServerEvent } from './namespace.js';

/** What clients send to stay connected beyond the life of their access token. */
export const renewal = {
  name: 'session:renew',
  summary: 'Replaces the access token of this connection before it expires.',
  payload: shape({ token: text({ max: 4_096 }) }),
  acknowledgement: shape({ expiresAt: instant() }),
} as const;

export type Renewal = Infer<typeof renewal.payload>;

/** What the server may say on every namespace. */
export const standardServerEvents = {
  'session:expired': {
    summary: 'The access token has expired unrenewed; the server closes the connection.',
    payload: shape({}),
  },
  resync: {
    summary: 'Some updates may have been missed: fetch anew what is on the screen.',
    payload: shape({}),
  },
  'server:closing': {
    summary: 'This node stops; connect again, to another one.',
    payload: shape({}),
  },
} as const satisfies Record<string, ServerEvent>;

/** Answers an event that failed and has no acknowledgement callback: `{ event, error: problem }`. */
export const PROBLEM_EVENT = 'problem';
