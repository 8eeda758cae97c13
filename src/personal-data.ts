import { collections } from './collections.js';
import { type Database } from './core/database/database.js';
import { type Module } from './core/module.js';
import { type PersonalData, unclaimed } from './core/personal-data.js';
import { traces } from './core/traces.js';

/** Collections that tell of nobody, and why. */
export const IMPERSONAL: Readonly<Record<string, string>> = {
  nodes: 'which nodes are alive',
  consumers: 'positions in the stream of events, and which process holds a lease',
  agendaLogs: 'nothing is logged there',
  idempotencyKeys: 'hashed, sealed with a key that only the client has, and gone after a day: before any erasure',
  secrets: 'keys of the server',
  providerPace: 'how many messages each provider may be sent just now',
  providerEvents: 'ids of what mail providers have told, and when; gone after three days',
  notificationEndings: 'ids of things that are gone, and for whom, until what was told about them is withdrawn',
  messageNews:
    'ids of conversations in which something was said, deleted or edited, and of who is named there, until they are told',
  notificationStatistics: 'how many notifications of a day, a kind and a channel are in which state',
  countedEvents: 'ids of events that are in those numbers',
  oauthStates: 'sign-ins that have begun, before anything is known of who it is; gone after ten minutes',
  apiKeys: 'keys of systems, and the id of the admin who issued each',
  audit: 'ids, fixed words and names of fields; from where something was done stands in auditOrigins',
};

/**
 * What all parts of the product keep of users, in the order in which it is erased.
 * @throws Error where a collection is neither answered for by one of them nor known to tell of nobody
 */
export function allPersonalData(modules: readonly Module[], database: Database): PersonalData[] {
  const contributors = [...modules.flatMap(({ personalData = [] }) => personalData), traces(database)];
  const forgotten = unclaimed(
    collections.map(({ name }) => name),
    contributors,
    Object.keys(IMPERSONAL),
  );
  if (forgotten.length > 0) {
    throw new Error(
      `Nobody exports and erases what these collections hold of users: ${forgotten.join(', ')}. Add them to the ` +
        'PersonalData of their module, or to IMPERSONAL with the reason.',
    );
  }
  return contributors;
}
