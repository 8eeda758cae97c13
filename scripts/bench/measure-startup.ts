import { progress, publish } from './choices.js';
import { Helper } from './processes.js';
import { median, round } from './report.js';
import { type Stage } from './stage.js';

const TIMES = 5;

/** How long a node takes from its beginning until it is ready, beside a plain HTTP server with a connection. */
export async function measureStartup(stage: Stage): Promise<void> {
  const took: { atrium: number[]; floor: number[] } = { atrium: [], floor: [] };
  for (let time = 1; time <= TIMES; time += 1) {
    progress(`startup: ${time} of ${TIMES}`);
    const begun = performance.now();
    const node = await stage.startFurtherApi();
    took.atrium.push(performance.now() - begun);
    await node.stop();
    const floorBegun = performance.now();
    const floor = await Helper.start('./floor-http.ts', { MONGODB_URI: stage.uri });
    took.floor.push(performance.now() - floorBegun);
    await floor.stop();
  }
  const [atrium, raw] = [took.atrium, took.floor].map((each) => ({
    median: round(median(each)),
    slowest: round(Math.max(...each)),
  }));
  if (!atrium || !raw) return;
  publish({
    measure: 'start of an API node from its sources, the database being there',
    unit: 'ms',
    ...{ atrium, raw, overdue: 0 },
    ratio: round(atrium.median / raw.median),
  });
}
