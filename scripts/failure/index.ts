/** `npm run test:failure`: everything goes wrong while people use the product. See `--help`. */
import { parseArgs } from 'node:util';
import { compile } from '../../test/support/compiled.js';
import { FAULT_NAMES, type FaultName } from './faults.js';
import { runOverload } from './overload.js';
import { runSuite } from './suite.js';

const HELP = `Breaks everything while people use Atrium, one thing after the other, and holds what they were told against
what there is in the end.

  npm run test:failure [-- options] [FAULT …]
  npm run test:failure [-- options] overload

  overload           twice what can be sustained, in place of faults; by 80 people where it is not said
  FAULT …            only these: ${FAULT_NAMES.map((name) => `'${name}'`).join(', ')}
  --random=SECONDS   for how long faults come at random after that; 120, with FAULT none
  --seed=N           which ones and where, made up and printed where it is not given
  --people=N         how many, 30
  --think=MS         between one thing and the next that they do, on the average, 1500
  --members=N        of the replica set, 3
  --apis=N           API nodes, 3
  --workers=N        workers, 2
  --help             this

It ends with 1 where anything was wrong.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    random: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    people: { type: 'string' },
    think: { type: 'string', default: '1500' },
    members: { type: 'string', default: '3' },
    apis: { type: 'string', default: '3' },
    workers: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<boolean> {
  const isOverload = positionals[0] === 'overload';
  const named = (isOverload ? [] : positionals).map((name) => {
    const known = FAULT_NAMES.find((each) => each === name);
    if (known === undefined) throw new Error(`there is no such fault: ${name}`);
    return known satisfies FaultName;
  });
  const begun = performance.now();
  const say = (line: string): void =>
    console.log(`${((performance.now() - begun) / 1_000).toFixed(1).padStart(6)}  ${line}`);
  const removeCompiled = await compile();
  try {
    const common = {
      seed: Number(values.seed),
      people: Number(values.people ?? (isOverload ? 80 : 30)),
      members: Number(values.members),
      apis: Number(values.apis),
      workers: Number(values.workers),
      leaseSeconds: 3,
      claimSeconds: 8,
      patienceMs: 240_000,
      say,
    };
    const { isRight, report } = isOverload
      ? await runOverload(common)
      : await runSuite({
          ...common,
          faults: named.length > 0 ? named : FAULT_NAMES,
          randomSeconds: Number(values.random ?? (named.length > 0 ? 0 : 120)),
          thinkMs: Number(values.think),
        });
    for (const line of ['', ...report]) console.log(line);
    return isRight;
  } finally {
    await removeCompiled();
  }
}

// Interrupted, it ends as it does otherwise: what it has started goes with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (values.help) console.log(HELP);
else {
  main().then(
    (right) => process.exit(right ? 0 : 1),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}
