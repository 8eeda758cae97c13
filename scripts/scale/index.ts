/**
 * What very many connected people would cost, from what each thing that they do was measured to cost, and by a simulation
 * of the busiest minute where arithmetic does not do. `docs/scale.md` says what follows from it.
 *
 *   --connected=N,N   people connected at the same time; 10,000, 30,000, 100,000 and 300,000 where it is not given
 *   --seed=N          of the simulation
 *   --json            everything as JSON
 */
import { parseArgs } from 'node:util';
import { checkKeys } from './keys.js';
import { readMeasured } from './measured.js';
import { ASSUMED } from './model.js';
import { profileOf } from './profile.js';
import { caseRows, casesOf, costRows, figure, keyRows, totalsOf } from './tables.js';

const { values: choices } = parseArgs({
  options: {
    connected: { type: 'string', default: '10000,30000,100000,300000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const connected = choices.connected.split(',').map(Number);
const measured = readMeasured();
const cases = casesOf(measured, connected, Number(choices.seed));
const totals = connected.map((count) => {
  const nodes = cases.find((each) => each.connected === count)?.demand.nodes ?? 0;
  return { connected: count, ...totalsOf(measured, profileOf(count), nodes) };
});

if (choices.json) {
  const { machine, streams, reactor, bystander, idle } = measured;
  console.log(
    JSON.stringify({ machine, assumed: ASSUMED, streams, reactor, bystander, idle, totals, cases, keys: checkKeys() }),
  );
} else {
  const { cpu, cores, node } = measured.machine;
  console.log(`Measured on ${cores} cores (${cpu}), Node ${node}, by npm run scale:measure`);
  const profile = profileOf(connected[0] ?? 0);
  for (const line of ['', ...costRows(measured, profile), '']) console.log(line);
  for (const { connected: count, ...each } of totals) {
    console.log(`${count.toLocaleString('en')} connected, a second of the busiest minute:`);
    for (const [name, value] of Object.entries(each)) console.log(`  ${name.padEnd(16)} ${figure(value)}`);
  }
  for (const line of ['', ...caseRows(cases), '', ...keyRows()]) console.log(line);
}
