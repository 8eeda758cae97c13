import { randomInt, randomUUID } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { MINUTE } from '../../src/core/clock.js';
import { type Edge, type PushSubscription, recipientsOf } from '../edge/index.js';
import { type Json } from '../support/api.js';
import { type Api, Campus, type NewPerson, type Person, SWEPT_OFTEN } from '../support/campus.js';
import { until } from '../support/until.js';

export type OutsideChannel = 'email' | 'webPush' | 'mobilePush' | 'sms';
export type UsualChannel = Exclude<OutsideChannel, 'sms'>;
/** But for SMS, which nobody gets who has not switched them on. */
export const OUTSIDE: UsualChannel[] = ['email', 'webPush', 'mobilePush'];

/** Someone of a crowd, and where pushes reach them. */
export interface Member {
  id: string;
  email: string;
  tokens: string[];
  endpoints: string[];
}

export interface Notice {
  channels?: ('inApp' | OutsideChannel)[];
  title?: string;
  body?: string;
}

/** A campus with one node, and what tests of deliveries do again and again, all through the public API. */
export class Scene {
  private admin: Promise<Person> | undefined;

  constructor(
    readonly campus: Campus,
    readonly api: Api,
  ) {}

  static async open(env: Record<string, string> = {}): Promise<Scene> {
    const campus = await Campus.open(SWEPT_OFTEN);
    return new Scene(campus, await campus.startNode({ env }));
  }

  /** A campus whose mail goes by SendGrid, and by the mail server where that fails. */
  static async withSendGrid(env: Record<string, string> = {}): Promise<Scene> {
    const campus = await Campus.open(SWEPT_OFTEN);
    const { apiKey, url } = campus.edge.sendgrid;
    const sendGrid = { SENDGRID_API_KEY: apiKey, SENDGRID_BASE_URL: url };
    return new Scene(campus, await campus.startNode({ env: { ...sendGrid, ...env } }));
  }

  /** A campus whose phones are reached by OneSignal. */
  static async withOneSignal(env: Record<string, string> = {}): Promise<Scene> {
    const campus = await Campus.open({ ...SWEPT_OFTEN, FCM_SERVICE_ACCOUNT: '', FCM_ENDPOINT: '' });
    const { appId, apiKey, url } = campus.edge.oneSignal;
    const oneSignal = { ONESIGNAL_APP_ID: appId, ONESIGNAL_API_KEY: apiKey, ONESIGNAL_BASE_URL: url };
    return new Scene(campus, await campus.startNode({ env: { ...oneSignal, ...env } }));
  }

  /** A campus that sends SMS by Twilio. */
  static async withTwilio(env: Record<string, string> = {}): Promise<Scene> {
    const campus = await Campus.open(SWEPT_OFTEN);
    const twilio = { ...campus.edge.twilio.environment, PHONE_COUNTRY: 'JO' };
    return new Scene(campus, await campus.startNode({ env: { ...twilio, ...env } }));
  }

  get edge(): Edge {
    return this.campus.edge;
  }

  close(): Promise<void> {
    return this.campus.close();
  }

  /** Someone new, whose mail about confirming the address is out of the way. */
  async register(choices: NewPerson = {}): Promise<Person> {
    const person = await this.api.register(choices);
    const mails = { userId: new ObjectId(person.id), 'entity.kind': 'emailVerification' };
    await until(
      () => this.campus.db.collection('notifications').findOne(mails),
      (mail) => mail !== null && !['pending', 'sending'].includes(mail['channels'].email.status as string),
    );
    const { smtp, sendgrid } = this.edge;
    forget(smtp.received, ({ envelope }) => envelope.to.includes(person.email));
    forget(sendgrid.received, ({ mail }) => recipientsOf(mail).includes(person.email));
    return person;
  }

  /** A browser of theirs that allows pushes. */
  async browser(person: Person): Promise<PushSubscription> {
    const { body: key } = await person.get('/push/vapid-key');
    const subscription = this.edge.webPush.subscribe(key.publicKey as string);
    expectStatus(await person.post('/push/web', subscription), 204);
    return subscription;
  }

  /** A phone of theirs; answers with its token. */
  async phone(person: Person, platform: 'ANDROID' | 'IOS' = 'ANDROID'): Promise<string> {
    const token = `token-${randomUUID()}`;
    expectStatus(await person.post('/push/register', { token, platform }), 204);
    return token;
  }

  /** A number of theirs, which takes the SMS that an admin sends; answers with it. */
  async number(person: Person): Promise<string> {
    const number = `+9627${randomInt(90_000_000, 99_999_999)}`;
    expectStatus(await person.put('/users/me/phone', { phone: number }), 202);
    const [sms] = await this.edge.twilio.waitFor(({ to }) => to === number);
    const code = /\d{6}$/.exec(sms!.body)?.[0];
    expectStatus(await person.post('/users/me/phone/verify', { code }), 200);
    expectStatus(await person.patch('/settings/notifications', { preferences: { system: { sms: true } } }), 200);
    // What tells of it comes after nothing that the test waits for.
    const told = { userId: new ObjectId(person.id), 'entity.kind': 'phone' };
    await until(
      () => this.campus.db.collection('notifications').findOne(told),
      (one) => one !== null && !['pending', 'sending'].includes(one['channels'].email.status as string),
    );
    forget(this.edge.twilio.received, ({ to }) => to === number);
    return number;
  }

  /** More people than could register in a test, written as registering and subscribing would have. */
  async crowd(count: number, { phones = 0, browsers = 0 } = {}): Promise<Member[]> {
    const { db, clock } = this.campus;
    const [createdAt, updatedAt] = [clock.now(), clock.now()];
    const members = Array.from({ length: count }, () => {
      const userId = new ObjectId();
      const id = userId.toHexString();
      const mobile = Array.from({ length: phones }, (_, index) => ({ address: `token-${id}-${index}` }));
      const web = Array.from({ length: browsers }, () => this.edge.webPush.subscribe());
      const devices = [
        ...mobile.map((phone) => ({ ...phone, userId, channel: 'mobilePush', platform: 'ANDROID', updatedAt })),
        ...web.map(({ endpoint, keys }) => ({ address: endpoint, keys, userId, channel: 'webPush', updatedAt })),
      ];
      const user = { _id: userId, name: `Member ${id}`, email: `${id}@campus.test`, role: 'student', locale: 'en' };
      return { user: { ...user, createdAt, updatedAt }, devices };
    });
    await db.collection('users').insertMany(members.map(({ user }) => user));
    const devices = members.flatMap((member) => member.devices);
    if (devices.length > 0) await db.collection('devices').insertMany(devices);
    return members.map(({ user, devices: own }) => ({
      id: user._id.toHexString(),
      email: user.email,
      tokens: own.filter(({ channel }) => channel === 'mobilePush').map(({ address }) => address),
      endpoints: own.filter(({ channel }) => channel === 'webPush').map(({ address }) => address),
    }));
  }

  /** An admin's notification for these people, in the app and on the given channels. */
  async notify(people: { id: string }[], { channels = [], title = 'News', body = 'Hello' }: Notice): Promise<string> {
    const answer = await (
      await this.asAdmin()
    ).post('/notifications', {
      userIds: people.map(({ id }) => id),
      type: 'SYSTEM',
      title,
      body,
      channels: ['inApp', ...channels],
    });
    expectStatus(answer, 202);
    return answer.body.batchId as string;
  }

  /** How far a batch has come. */
  async progress(batchId: string): Promise<Json> {
    return (await (await this.asAdmin()).get(`/notifications/batches/${batchId}`)).body;
  }

  /** How far a batch has come, once all of it has been sent on these channels. */
  async allSent(batchId: string, channels: OutsideChannel[]): Promise<Json> {
    return until(
      () => this.progress(batchId),
      ({ recipients, channels: counts }) => channels.every((channel) => counts[channel]?.sent === recipients),
      // Some tests send hundreds.
      60_000,
    );
  }

  /** Their newest notification as the API shows it, once there is one that fits. */
  async notification(person: Person, fits: (notification: Json) => boolean = () => true): Promise<Json> {
    return until(
      async () => (await person.get('/notifications?limit=1')).body.data?.[0],
      (newest) => newest !== undefined && fits(newest),
    );
  }

  /** The state of their newest notification on a channel, once it has this status. */
  async delivery(person: Person, channel: OutsideChannel, status: string, attempts?: number): Promise<Json> {
    const fits = (delivery: Json): boolean =>
      delivery?.status === status && (attempts === undefined || delivery.attempts === attempts);
    const { channels } = await this.notification(person, (newest) => fits(newest.channels[channel]));
    return channels[channel];
  }

  /** How the worker's breaker for a provider stands: 0 closed, 1 trying again, 2 open. */
  async breaker(provider: string): Promise<number> {
    const metrics = await (await fetch(`${this.api.url}/metrics`)).text();
    const line = metrics.split('\n').find((one) => one.startsWith(`atrium_provider_breaker{provider="${provider}"}`));
    return Number(line?.split(' ').at(-1));
  }

  private asAdmin(): Promise<Person> {
    return (this.admin ??= this.api.admin());
  }

  /** Resolves when nothing is waiting for a worker or in its hands. */
  async settled(): Promise<void> {
    const busy = { $in: ['pending', 'sending'] };
    await until(
      () =>
        this.campus.db
          .collection('notifications')
          .countDocuments({ $or: [...OUTSIDE, 'sms'].map((channel) => ({ [`channels.${channel}.status`]: busy })) }),
      (count) => count === 0,
    );
  }

  /** Lets time pass while nothing is under way; access tokens run out meanwhile, so these people sign in again. */
  async advance(minutes: number, ...people: Person[]): Promise<void> {
    await this.settled();
    this.campus.clock.advance(minutes * MINUTE);
    this.admin = undefined;
    for (const person of people) person.token = (await this.api.signIn(person.email, person.password)).token;
  }
}

/** Minutes from a moment to the next attempt. */
export function minutesUntil(delivery: Json, from: Date): number {
  return (new Date(delivery.nextAttemptAt as string).getTime() - from.getTime()) / MINUTE;
}

/** Takes the first that fits out of a list. */
function forget<T>(list: T[], fits: (item: T) => boolean): void {
  const at = list.findIndex(fits);
  if (at >= 0) list.splice(at, 1);
}

function expectStatus({ status, body }: { status: number; body: Json }, expected: number): void {
  if (status !== expected) throw new Error(`${status} instead of ${expected}: ${JSON.stringify(body)}`);
}

/** Something that one side waits for until the other opens it. */
export function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}
