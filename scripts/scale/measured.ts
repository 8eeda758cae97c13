import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type BystanderCosts } from './measure/measure-bystander.js';
import { type ReactorCosts } from './measure/measure-reactor.js';
import { type IdleCosts } from './measure/measure-idle.js';
import { type StreamCosts } from './measure/measure-streams.js';
import { type Reading } from './measure/readings.js';
import { type ActionCost } from './measure/run-actions.js';

/** Where `npm run scale:measure` leaves what it has found. */
export const MEASURED = fileURLToPath(new URL('measured.json', import.meta.url));

/** What was measured, of one time of everything. */
export interface Measured {
  machine: { cores: number; cpu: string; node: string };
  /** Change streams that two API processes and a worker keep open together. */
  streamsOpen: number;
  /** What goes on while nobody does anything, by the second. */
  idlePerSecond: Reading;
  costs: Record<string, ActionCost>;
  idle: IdleCosts;
  reactor: ReactorCosts;
  bystander: BystanderCosts;
  streams: StreamCosts;
}

export function readMeasured(): Measured {
  return JSON.parse(readFileSync(MEASURED, 'utf8')) as Measured;
}
