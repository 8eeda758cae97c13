/**
 * Shows a notification's way on a running development server: what is written by HTTP comes out at the recipient's
 * socket, mailbox, browser and phone, each of them real and on this machine. Ends by itself: 0 where everything
 * arrived, 1 where something did not, 2 where the demonstration cannot take place.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Edge, startEdge } from '../../test/edge/index.js';
import { Api } from '../../test/support/api.js';
import { Arrivals } from './arrivals.js';
import { type Campus, closeCampus, openCampus } from './campus.js';
import { CannotRun } from './cannot-run.js';
import { deliveriesOf, explain } from './diagnosis.js';
import { headLine, rowOf, samples, summary } from './report.js';
import { POSTS, type PostName, STEPS } from './script.js';
import { missing, perform, type Performed } from './timeline.js';

const SMTP_PORT = 1025;
const FCM_PORT = 1026;
/** People do not all act in the same instant. */
const BETWEEN_STEPS_MS = 400;

const url = (process.env['ATRIUM_URL'] ?? 'http://localhost:3000').replace(/\/$/, '');
const dataDir = process.env['DATA_DIR'] ?? '.atrium';

async function main(): Promise<number> {
  await findServer();
  const edge = await catchMessages();
  let campus: Campus | undefined;
  try {
    console.log(`Atrium at ${url}`);
    console.log(
      `Caught here: mail on port ${SMTP_PORT}, phones (FCM) on ${FCM_PORT}, browsers (web push) on ${edge.webPush.port}\n`,
    );
    campus = await openCampus(new Api(url), edge);
    return await show(campus, new Arrivals(edge));
  } finally {
    if (campus) await closeCampus(campus);
    await edge.stop();
  }
}

async function show(campus: Campus, arrivals: Arrivals): Promise<number> {
  const posts = Object.fromEntries(
    await Promise.all(
      Object.entries(POSTS).map(async ([name, { by, content }]) => [name, await campus[by].person.publish(content)]),
    ),
  ) as Record<PostName, string>;

  console.log('Milliseconds from the moment the request was sent:\n');
  console.log(headLine());
  const under = { campus, posts, arrivals };
  const [firstStep, ...others] = STEPS;
  if (!firstStep) return 0;
  // Alone, because it shows whether the server delivers here at all, and opens its connections.
  const first = await perform(firstStep, under);
  console.log(rowOf(1, first));
  let complaints = await complaintsAbout(1, first);
  if (complaints.length === 0) {
    const running: Promise<Performed>[] = [];
    for (const step of others) {
      running.push(perform(step, under));
      await pause(BETWEEN_STEPS_MS);
    }
    const performed: Performed[] = [];
    for (const [index, one] of running.entries()) {
      const number = index + 2;
      performed.push(await one);
      console.log(rowOf(number, await one));
      complaints = [...complaints, ...(await complaintsAbout(number, await one))];
    }
    for (const line of [...summary(performed), ...samples(performed, arrivals)]) console.log(line);
  }

  for (const line of complaints) console.log(line);
  if (complaints.length > 0) return 1;
  console.log(`\nAll ${STEPS.length} notifications arrived on all four channels.`);
  return 0;
}

/** What is missing, in words. */
async function complaintsAbout(number: number, performed: Performed): Promise<string[]> {
  const channels = missing(performed);
  if (channels.length === 0) return [];
  if (!performed.told) return [`Missing: number ${number} gave no notification within 15 s.`];
  const deliveries = await deliveriesOf(performed);
  return channels.map((channel) => {
    const said = explain(channel, deliveries[channel]);
    return `Missing: number ${number} did not arrive by ${channel} within 15 s; the server says that ${said}.`;
  });
}

async function findServer(): Promise<void> {
  const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
  if (!answer) {
    throw new CannotRun(`No server answers at ${url}. Start one in another terminal (npm start), or set ATRIUM_URL.`);
  }
  if (!answer.ok) throw new CannotRun(`The server at ${url} is not ready: ${await answer.text()}`);
}

async function catchMessages(): Promise<Edge> {
  try {
    return await startEdge({ folder: dataDir, ports: { smtp: SMTP_PORT, fcm: FCM_PORT } });
  } catch (error) {
    const { code, port } = error as { code?: string; port?: number };
    if (code !== 'EADDRINUSE') throw error;
    throw new CannotRun(
      `Port ${port ?? '1025 or 1026'} is taken, and a development server sends there. Stop what listens on it first.`,
    );
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof CannotRun ? error.message : error);
    process.exit(error instanceof CannotRun ? 2 : 1);
  },
);
