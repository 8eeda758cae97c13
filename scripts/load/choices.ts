import { parseArgs } from 'node:util';

const HELP = `People who use Atrium: they sign in, read, react, comment and talk, come and go, and write all of it down.
In the end what they were told is held against what the server has.

  npm run load [-- options]

  --url=URL,…        nodes to use; without it a throwaway database, API nodes and workers are started here
  --database=URI     the database of those nodes: what no client sees is verified, too
  --nodes=N          how many API nodes to start, 2 where it is not given
  --workers=N        how many workers, 1 or 2; 1 where it is not given
  --people=N         how many, 50
  --seconds=N        for how long, 30
  --think=MS         between one thing and the next, on the average, 1000
  --rate=N           so many things a second are begun by all together, whatever becomes of them; no thinking, no leaving
  --processes=N      how many processes the people are spread over, 1
  --seed=N           the same seed makes the same choices, 1
  --soak             reports the servers' memory and open handles and the size of the database on the way
  --json             the ledger's figures as one JSON line on standard output
  --help             this

It ends with 1 where anything was wrong.`;

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    database: { type: 'string' },
    nodes: { type: 'string', default: '2' },
    workers: { type: 'string', default: '1' },
    people: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '30' },
    think: { type: 'string', default: '1000' },
    rate: { type: 'string' },
    processes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    soak: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
  process.exit(0);
}

/** What the command line asks for. */
export const choices = {
  urls: values.url?.split(','),
  databaseUri: values.database,
  nodes: whole('nodes', values.nodes),
  workers: whole('workers', values.workers),
  people: whole('people', values.people),
  seconds: whole('seconds', values.seconds),
  thinkMs: whole('think', values.think),
  ...(values.rate !== undefined && { perSecond: whole('rate', values.rate) }),
  processes: whole('processes', values.processes),
  seed: whole('seed', values.seed),
  soak: values.soak,
  json: values.json,
};

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is a whole number, not ${text}`);
  return value;
}
