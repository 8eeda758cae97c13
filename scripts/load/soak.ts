import { type Db } from 'mongodb';
import { median } from '../bench/report.js';
import { table } from '../figures.js';

/** What must not grow for ever, of one process and of the database. */
const SERIES = {
  'memory, MB': 'process_resident_memory_bytes',
  'heap, MB': 'nodejs_heap_size_used_bytes',
  handles: 'nodejs_active_handles_total',
  files: 'process_open_fds',
  sockets: 'atrium_sockets',
} as const;
const MB = 1024 * 1024;

interface Sample {
  second: number;
  values: Record<string, number>;
}

/** Looks at the servers again and again, and says whether what they hold levels out. */
export class Soak {
  private readonly samples: Sample[] = [];
  private readonly begun = performance.now();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly urls: readonly string[],
    private readonly db?: Db,
  ) {}

  start(everyMs: number): void {
    this.timer = setInterval(() => {
      this.looking = this.look();
    }, everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  /** Each value at the quarters of the run, by its medians: what levels out does not rise from the third to the last. */
  report(): string[] {
    const names = Object.keys(this.samples.at(-1)?.values ?? {});
    const quarter = Math.max(1, Math.floor(this.samples.length / 4));
    const rows = names.map((name) => [
      name,
      ...[0, 1, 2, 3].map((at) => {
        const part = this.samples.slice(at * quarter, at === 3 ? undefined : (at + 1) * quarter);
        return median(part.flatMap(({ values }) => values[name] ?? [])).toFixed(0);
      }),
    ]);
    return table(['median of', '1st quarter', '2nd', '3rd', '4th'], rows);
  }

  private async look(): Promise<void> {
    const values: Record<string, number> = {};
    for (const [at, url] of this.urls.entries()) {
      const text = await fetch(`${url}/metrics`).then(
        (response) => response.text(),
        () => '',
      );
      for (const [name, metric] of Object.entries(SERIES)) {
        const value = Number(new RegExp(`^${metric}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1] ?? NaN);
        if (Number.isFinite(value)) values[`process ${at + 1}: ${name}`] = name.endsWith('MB') ? value / MB : value;
      }
    }
    if (this.db) {
      const { objects, storageSize } = await this.db.stats();
      values['database: documents'] = Number(objects);
      values['database: storage, MB'] = Number(storageSize) / MB;
    }
    this.samples.push({ second: (performance.now() - this.begun) / 1_000, values });
  }
}
