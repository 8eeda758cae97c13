import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { type Json, type Person } from './api.js';
import { type Campus } from './campus.js';
import { until } from './until.js';

/** What everyone gets who registers. */
export const CONFIRM_ADDRESS = 'Confirm your e-mail address';

/** Someone who can be reached on every channel, and what has reached them on each. */
export class Reachable {
  private constructor(
    private readonly campus: Campus,
    readonly person: Person,
    private readonly endpoint: string,
    private readonly token: string,
  ) {}

  /** Gives the person a phone and a browser beside their e-mail address. */
  static async everywhere(campus: Campus, person: Person): Promise<Reachable> {
    const subscription = campus.edge.webPush.subscribe();
    const token = randomBytes(12).toString('hex');
    const answers = [
      await person.post('/push/web', subscription),
      await person.post('/push/register', { token, platform: 'ANDROID' }),
    ];
    for (const { status } of answers) expect(status).to.be.within(200, 299);
    return new Reachable(campus, person, subscription.endpoint, token);
  }

  /** All but those that have to do with the account itself. */
  get mails() {
    return this.campus.edge.smtp.received.filter(
      ({ envelope, subject }) => envelope.to.includes(this.person.email) && subject !== CONFIRM_ADDRESS,
    );
  }

  get pushes() {
    return this.campus.edge.webPush.received.filter(({ endpoint }) => endpoint === this.endpoint);
  }

  get messages() {
    return this.campus.edge.fcm.received.filter(({ message }) => message.token === this.token);
  }

  /** The person's notifications as they are stored, oldest first. */
  stored(): Promise<Json[]> {
    return notificationsOf(this.campus, this.person);
  }

  /** Waits until there are as many notifications and each has been sent on every channel. */
  async sent(count: number, timeoutMs = 30_000): Promise<Json[]> {
    return until(
      () => this.stored(),
      (found) =>
        found.length >= count &&
        found.every(({ channels }) =>
          ['email', 'webPush', 'mobilePush'].every((channel) => channels[channel]?.status === 'sent'),
        ),
      timeoutMs,
    );
  }
}

/** A person's notifications as they are stored, oldest first, but for what has to do with the account itself. */
export function notificationsOf(campus: Campus, person: Person): Promise<Json[]> {
  return campus.db
    .collection('notifications')
    .find({ userId: new ObjectId(person.id), type: { $ne: 'SECURITY' } })
    .sort({ _id: 1 })
    .toArray();
}
