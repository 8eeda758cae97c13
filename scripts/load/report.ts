import { percentile, table } from '../figures.js';
import { type Ledger } from './ledger.js';
import { type Finding } from './verify/index.js';

const SHOWN_WRONG = 10;

/** How long things took, in milliseconds, and what came of every attempt. */
export function figuresOf({ actions, shown }: Pick<Ledger, 'actions' | 'shown'>): string[] {
  const rows = Object.entries(actions)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([action, { took, felt, attempts }]) => [
      action,
      String(took.length),
      ...percentiles(took),
      ...percentiles(felt).slice(2),
      Object.entries(attempts)
        .filter(([what]) => !/^20\d$/.test(what))
        .map(([what, times]) => `${what} × ${times}`)
        .join(', '),
    ]);
  if (shown.length > 0) rows.push(['shown to others', String(shown.length), ...percentiles(shown), '', '']);
  return table(['', 'done', 'p50', 'p95', 'p99', 'p99 with all tries', 'tried again'], rows);
}

/** Every line of a ledger: what there is, and whether that is right. */
export function findingsOf(findings: readonly Finding[]): string[] {
  return [
    ...table(
      ['', '', ''],
      findings.map(({ what, found, wrong }) => [what, wrong.length === 0 ? 'right' : `${wrong.length} WRONG`, found]),
    ).slice(1),
    ...findings.flatMap(({ what, wrong }) => [
      ...wrong.slice(0, SHOWN_WRONG).map((each) => `  ${what}: ${each}`),
      ...(wrong.length > SHOWN_WRONG ? [`  ${what}: and ${wrong.length - SHOWN_WRONG} more`] : []),
    ]),
  ];
}

export function isRight(findings: readonly Finding[]): boolean {
  return findings.every(({ wrong }) => wrong.length === 0);
}

function percentiles(values: readonly number[]): string[] {
  return [0.5, 0.95, 0.99].map((share) => (values.length === 0 ? '' : percentile(values, share).toFixed(0)));
}
