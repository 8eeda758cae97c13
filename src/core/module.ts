import { type CollectionDefinition } from './database/collections.js';
import { type Database } from './database/database.js';
import { type EventType } from './events/event.js';
import { type FeedSubscriber } from './events/feed.js';
import { type Listener } from './events/listener.js';
import { type EventSource } from './events/source.js';
import { type Outbox } from './events/outbox.js';
import { type Clock } from './clock.js';
import { type Pager } from './http/paging.js';
import { type Route } from './http/route.js';
import { type Log } from './observability/log.js';
import { type PersonalData } from './personal-data.js';
import { type NamespaceDefinition } from './realtime/namespace.js';

/** What every module is given. */
export interface ModuleContext {
  database: Database;
  outbox: Outbox;
  pager: Pager;
  clock: Clock;
  log: Log;
}

/** What a module adds to a node. */
export interface Module {
  routes: Route[];
  /** The kinds of event it records. */
  events: EventType[];
  /** Collections of its own whose documents are events by themselves. */
  sources?: EventSource[];
  listeners?: Listener[];
  /** Listeners for which a moment later is early enough: they are given many events together, beside the reactor. */
  followers?: Listener[];
  /** What follows the feed on every node, before whoever tells sockets. */
  subscribers?: FeedSubscriber[];
  namespaces?: NamespaceDefinition[];
  /** What it keeps of users. */
  personalData?: PersonalData[];
}

/** What a module keeps: known before anything is connected, because migrations come first. */
export type ModuleCollections = readonly CollectionDefinition[];
