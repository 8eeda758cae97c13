import { percentile, table } from '../figures.js';
import { type Arrivals, type Channel } from './arrivals.js';
import { type Performed } from './timeline.js';

const COLUMNS = ['answered', 'event', 'in-app', 'e-mail', 'web push', 'phone'] as const;

/** Keeps a name's direction to itself, so that Arabic in an English line does not reorder the line. */
const isolate = (text: string): string => `\u2068${text}\u2069`;

/** The times of one notification, in the order of the columns. */
function timesOf({ answered, event, arrived }: Performed): (number | undefined)[] {
  return [answered, event, arrived.inApp, arrived.email, arrived.webPush, arrived.mobilePush];
}

function line(number: string, cells: readonly string[], what: string): string {
  const columns = cells.map((cell, index) => cell.padStart(COLUMNS[index]?.length ?? 0));
  return `${number.padStart(3)}  ${columns.join('  ')}   ${what}`;
}

export function headLine(): string {
  return line('', COLUMNS, 'what');
}

export function rowOf(number: number, performed: Performed): string {
  const { step, actor, recipient } = performed;
  const what = 'reaction' in step ? step.reaction.toLowerCase() : 'comment';
  const cells = timesOf(performed).map((ms) => (ms === undefined ? '-' : String(ms)));
  return line(String(number), cells, `${what.padEnd(10)}  ${isolate(actor.name)} → ${isolate(recipient.name)}`);
}

const HOPS = [
  ['request answered', 'what was done is committed, and its event with it'],
  ['event read', 'a worker has it and makes the notification (its createdAt)'],
  ['in-app', 'the recipient’s socket hears of it'],
  ['e-mail', 'the mail server has the whole mail'],
  ['web push', 'the push service has it, decrypted as the browser does'],
  ['phone', 'FCM has it'],
] as const;

/** Percentiles over all but the first, for which the server still had to open its connections. */
export function summary(performed: Performed[]): string[] {
  const rows = HOPS.map(([name, meaning], column) => {
    const since = (from: (one: Performed) => number | undefined): number[] =>
      performed.flatMap((one) => {
        const [ms, start] = [timesOf(one)[column], from(one)];
        return ms === undefined || start === undefined ? [] : [ms - start];
      });
    const ofRequest = since(() => 0);
    const ofEvent = column < 2 ? [] : since(({ event }) => event);
    const show = (values: number[]): string[] =>
      values.length === 0 ? ['', ''] : [String(percentile(values, 0.5)), String(Math.max(...values))];
    return [name, ...show(ofRequest), ...show(ofEvent), meaning];
  });
  return [
    '\nMilliseconds from the request, and from the event; without number 1, which opened the connections:\n',
    ...table(['', 'p50', 'max', 'p50 from event', 'max', ''], rows),
  ];
}

/** What the recipients got to see, once in each language. */
export function samples(performed: Performed[], arrivals: Arrivals): string[] {
  const lines: string[] = [];
  const shown = new Set<string>();
  for (const { told, recipient } of performed) {
    if (!told || shown.has(recipient.name)) continue;
    shown.add(recipient.name);
    const show = (name: string, channel: Channel): string => `  ${name.padEnd(8)}  ${arrivals.text(told.id, channel)}`;
    lines.push(
      `\nWhat one of them looked like to ${isolate(recipient.name)}:`,
      show('in-app', 'inApp'),
      show('e-mail', 'email'),
      show('web push', 'webPush'),
      show('phone', 'mobilePush'),
    );
  }
  return lines;
}
