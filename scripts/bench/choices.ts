import { parseArgs } from 'node:util';
import { type Measurement } from './report.js';

/** What the command line asks for. */
export const { values: choices, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rate: { type: 'string', default: '50' },
    sockets: { type: 'string', default: '10000' },
    profile: { type: 'string' },
  },
});

export const CONNECTED = 200;
export const RECIPIENTS = 1_000;
export const REACTIONS_PER_SECOND = Number(choices.rate);
export const ROUNDS = choices.quick ? 1 : 3;
export const SECONDS = choices.quick ? 3 : 5;
export const WARM_UP_SECONDS = choices.quick ? 2 : 5;
export const CALLS = choices.quick ? 8 : 15;
export const MAIL_CALLS = 2;
/** Calls under way at a time, and raw batches. */
export const AT_ONCE = 4;
export const TOWN = { users: choices.quick ? 10_000 : 100_000, hubs: 20, hubConnections: 500 };
/** Recipients of an announcement, how many of them look on, and how many reactions a second there are meanwhile. */
export const CROWD = { recipients: choices.quick ? 5_000 : 100_000, connected: 50, perSecond: 20 };
/** Each has two conversations; messages a second at which their latency is measured; from there on the rate rises. */
export const CHAT = { people: choices.quick ? 50 : 250, rates: [200, 1_000], step: 1.25, mostMs: 50 };
/** Notifications a second, so many in a call, and how soon the provider is to have them. */
export const STEADY = { perSecond: 500, perCall: 50, mostMs: 50 };
/** Who asks the API, what of theirs there is, and what the 95th percentile may be. */
export const API = { people: 100, posts: 100, notifications: 50, mostMs: 200 };
/** Sockets on one node, and whose they are. */
export const SOCKETS = { count: choices.quick ? 1_000 : Number(choices.sockets), people: 100 };
export const RAW_DOCUMENTS = choices.quick ? 10_000 : 20_000;

/** Says what goes on. */
export const progress = (text: string): void => console.error(`… ${text}`);
/** All that was measured. */
export const measurements: Measurement[] = [];

/** Notes a measurement, and shows it where JSON is wanted. */
export function publish(measurement: Measurement): void {
  measurements.push(measurement);
  if (choices.json) console.log(JSON.stringify(measurement));
}
