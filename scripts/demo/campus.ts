import { randomBytes } from 'node:crypto';
import { type Edge, type PushSubscription } from '../../test/edge/index.js';
import { type Api, type LiveSocket, type Person } from '../../test/support/api.js';
import { CannotRun } from './cannot-run.js';

/** Someone on the demonstration's campus, with an open app, a browser and a phone. */
export interface Member {
  name: string;
  person: Person;
  socket: LiveSocket;
  browser: PushSubscription;
  phoneToken: string;
}

const PEOPLE = {
  layla: { name: 'ليلى حداد', role: 'alumni', locale: 'ar' },
  omar: { name: 'Omar Nasser', role: 'student', locale: 'en' },
  sara: { name: 'سارة العلي', role: 'student', locale: 'ar' },
  maya: { name: 'Maya Lindqvist', role: 'recruiter', locale: 'en' },
  yusuf: { name: 'يوسف', role: 'student', locale: 'ar' },
} as const;

export type Name = keyof typeof PEOPLE;
export type Campus = Record<Name, Member>;

/** Registers everybody, under addresses of this run's own, with their devices. */
export async function openCampus(api: Api, edge: Edge): Promise<Campus> {
  const run = randomBytes(4).toString('hex');
  const members = await Promise.all(
    Object.entries(PEOPLE).map(async ([key, choices]) => {
      const person = await api.register({ ...choices, email: `${key}.${run}@campus.example` });
      return [key, await equip(person, edge)] as const;
    }),
  );
  return Object.fromEntries(members) as Campus;
}

/** Takes the devices back: their other ends are about to go. */
export async function closeCampus(campus: Campus): Promise<void> {
  await Promise.all(
    Object.values(campus).map(async ({ person, browser, phoneToken }) => {
      await person.delete('/push/web', { endpoint: browser.endpoint });
      await person.delete('/push/unregister', { token: phoneToken });
      person.disconnect();
    }),
  );
}

async function equip(person: Person, edge: Edge): Promise<Member> {
  const key = (await person.get('/push/vapid-key')).body as { publicKey: string };
  const browser = edge.webPush.subscribe(key.publicKey);
  const web = await person.post('/push/web', browser);
  if ((web.body as { code?: string }).code === 'UNKNOWN_PUSH_SERVICE') {
    throw new CannotRun('The server accepts no local push service: it does not run in development mode (NODE_ENV).');
  }
  const phoneToken = `phone-${randomBytes(12).toString('hex')}`;
  const phone = await person.post('/push/register', { token: phoneToken, platform: 'ANDROID' });
  for (const { status, body } of [web, phone]) {
    if (status !== 204) throw new Error(`registering a device failed: ${JSON.stringify(body)}`);
  }
  return { name: person.name, person, browser, phoneToken, socket: await person.connect('/notifications') };
}
