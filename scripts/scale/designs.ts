/** How an installation is laid out: as it is today, or with one of the next steps. */
export interface Design {
  name: string;
  /**
   * What a node reads: everything; what the database filters by the node's users; collections of their own for groups of
   * users; or what a few processes that read everything pass on to it.
   */
  feed: 'whole' | 'filtered' | 'partitioned' | 'relayed';
  /** How a node knows who is in the conversation of a message: by looking it up, or since the message says so. */
  members: 'looked up' | 'in the event';
  shards: number;
  streamsFrom: 'primary' | 'secondary';
  /** Where reads go that may be a moment behind. */
  readsFrom: 'primary' | 'secondary';
  /** Reactors, each for a part of the events. */
  reactors: number;
}

const TODAY: Design = {
  name: 'as it is',
  feed: 'whole',
  members: 'looked up',
  shards: 1,
  streamsFrom: 'primary',
  readsFrom: 'primary',
  reactors: 1,
};

/** Processes that read everything on behalf of the nodes. */
export const RELAYS = 3;
/** Groups of users with a collection of events of their own. */
export const TOPICS = 16;

const AFTER_ALL: Design = {
  ...TODAY,
  name: 'all but shards',
  feed: 'filtered',
  members: 'in the event',
  streamsFrom: 'secondary',
  readsFrom: 'secondary',
  reactors: 8,
};

/** Each step by itself, and then together. */
export const DESIGNS: readonly Design[] = [
  TODAY,
  { ...TODAY, name: 'members in the event', members: 'in the event' },
  { ...TODAY, name: 'feed filtered by the server', feed: 'filtered', members: 'in the event' },
  { ...TODAY, name: `feed in ${TOPICS} collections`, feed: 'partitioned', members: 'in the event' },
  { ...TODAY, name: `feed by ${RELAYS} relays`, feed: 'relayed', members: 'in the event' },
  { ...TODAY, name: 'streams from a secondary', streamsFrom: 'secondary' },
  { ...TODAY, name: 'stale reads from a secondary', readsFrom: 'secondary' },
  { ...TODAY, name: '8 reactors', reactors: 8 },
  { ...TODAY, name: '4 shards', shards: 4 },
  AFTER_ALL,
  { ...AFTER_ALL, name: 'all, and 4 shards', shards: 4 },
];
