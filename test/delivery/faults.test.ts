import { expect } from 'chai';
import { type Fault } from '../edge/index.js';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';
import { until } from '../support/until.js';
import { minutesUntil, type OutsideChannel, Scene } from './scene.js';

/** What a fault leads to: the state after the attempt it hits, and how many copies there are in the end. */
interface Consequence {
  /** Absent where the first attempt succeeds all the same. */
  error?: string;
  /** Minutes to the next attempt, a fifth more for jitter; one unless told. */
  minutes?: number;
  /** Whether the provider is left alone. */
  opens?: boolean;
  /** Of one message, the same to the reader; one unless told. */
  copies?: number;
}

interface Provider {
  name: 'SMTP' | 'SendGrid' | 'FCM' | 'OneSignal' | 'web push' | 'Twilio';
  channel: OutsideChannel;
  breaker: (scene: Scene) => string;
  fail: (scene: Scene, fault: Fault) => void;
  /** What makes a copy replace the one before it, for each that this person was sent. */
  identities: (scene: Scene, person: Person, notification: Json) => unknown[];
}

const SMTP: Provider = {
  name: 'SMTP',
  channel: 'email',
  breaker: () => 'smtp',
  fail: ({ edge }, fault) => edge.smtp.faults.next(fault),
  identities: ({ edge }, { email }) =>
    edge.smtp.received.filter(({ envelope }) => envelope.to.includes(email)).map(({ messageId }) => messageId),
};
const SENDGRID: Provider = {
  name: 'SendGrid',
  channel: 'email',
  breaker: () => 'sendgrid',
  fail: ({ edge }, fault) => edge.sendgrid.faults.next(fault),
  identities: ({ edge }, { email }) =>
    edge.sendgrid.received
      .flatMap(({ mail }) => mail.personalizations)
      .filter(({ to }) => to[0]!.email === email)
      .map(({ headers }) => headers!['Message-ID']),
};
const FCM: Provider = {
  name: 'FCM',
  channel: 'mobilePush',
  breaker: () => 'fcm',
  fail: ({ edge }, fault) => edge.fcm.faults.next(fault),
  identities: ({ edge }, _person, { id }) =>
    edge.fcm.received
      .filter(({ message }) => message.data!['notificationId'] === id)
      .map(({ message }) => {
        const { android, apns } = message as Json;
        return `${android.collapse_key} ${android.notification.tag} ${apns.headers['apns-collapse-id']}`;
      }),
};
const ONESIGNAL: Provider = {
  name: 'OneSignal',
  channel: 'mobilePush',
  breaker: () => 'onesignal',
  fail: ({ edge }, fault) => edge.oneSignal.faults.next(fault),
  identities: ({ edge }, _person, { dedupeKey }) =>
    edge.oneSignal.received
      .filter(({ notification }) => notification.data['dedupeKey'] === dedupeKey)
      .map(({ notification }) => notification.collapse_id),
};
const WEB_PUSH: Provider = {
  name: 'web push',
  channel: 'webPush',
  breaker: ({ edge }) => `webPush ${new URL(edge.webPush.origin).host}`,
  fail: ({ edge }, fault) => edge.webPush.faults.next(fault),
  identities: ({ edge }, _person, { id }) =>
    edge.webPush.received.filter(({ topic }) => topic === id).map(({ topic }) => topic),
};

const TWILIO: Provider = {
  name: 'Twilio',
  channel: 'sms',
  breaker: () => 'twilio',
  fail: ({ edge }, fault) => edge.twilio.faults.next(fault),
  // Nothing makes one replace the other: they are told apart by nothing but their text.
  identities: ({ edge }, _person, { id, title }) =>
    edge.twilio.received
      .filter(({ callback }) => callback?.endsWith(id as string))
      .map(({ body }) => body.startsWith(title as string)),
};

const busy: Fault = { kind: 'status', status: 429, retryAfter: 600 };

const TABLE: { what: string; fault: Fault; smtpFault?: Fault; then: Record<Provider['name'], Consequence | null> }[] = [
  {
    what: 'is slow',
    fault: { kind: 'slow', ms: 300 },
    then: { SMTP: {}, SendGrid: {}, FCM: {}, OneSignal: {}, 'web push': {}, Twilio: {} },
  },
  {
    what: 'is too busy',
    fault: busy,
    smtpFault: { kind: 'status', status: 450 },
    then: {
      SMTP: { error: 'SMTP_450' },
      SendGrid: { error: 'SENDGRID_429', minutes: 10, opens: true },
      FCM: { error: 'messaging/message-rate-exceeded' },
      OneSignal: { error: 'ONESIGNAL_429', minutes: 10 },
      'web push': { error: 'HTTP_429', minutes: 10 },
      Twilio: { error: 'TWILIO_20429', minutes: 10, opens: true },
    },
  },
  {
    what: 'is broken',
    fault: { kind: 'status', status: 500 },
    smtpFault: { kind: 'status', status: 421 },
    then: {
      SMTP: { error: 'SMTP_421' },
      SendGrid: { error: 'SENDGRID_500' },
      FCM: { error: 'messaging/internal-error' },
      OneSignal: { error: 'ONESIGNAL_500' },
      'web push': { error: 'HTTP_500' },
      Twilio: { error: 'TWILIO_20500' },
    },
  },
  {
    what: 'cuts the connection',
    fault: { kind: 'reset' },
    // The library of FCM tries again by itself.
    then: {
      SMTP: { error: 'ECONNRESET' },
      SendGrid: { error: 'ECONNRESET' },
      FCM: {},
      OneSignal: { error: 'ECONNRESET' },
      'web push': { error: 'ECONNRESET' },
      Twilio: { error: 'ECONNRESET' },
    },
  },
  {
    what: 'takes the message and loses the answer',
    fault: { kind: 'accept-and-reset' },
    then: {
      SMTP: { error: 'ECONNRESET', copies: 2 },
      SendGrid: { error: 'ECONNRESET', copies: 2 },
      FCM: { copies: 2 },
      // Asked again with the same key, it sends nothing again.
      OneSignal: { error: 'ECONNRESET' },
      'web push': { error: 'ECONNRESET', copies: 2 },
      // Unless it tells of the first in time, which it does not here.
      Twilio: { error: 'ECONNRESET', copies: 2 },
    },
  },
  {
    what: 'does not answer in time',
    fault: { kind: 'slow', ms: 2_500 },
    // The library of FCM waits for 15 s, whatever it is told.
    then: {
      SMTP: { error: 'ETIMEDOUT', copies: 2 },
      SendGrid: { error: 'ETIMEDOUT', copies: 2 },
      FCM: null,
      OneSignal: { error: 'ETIMEDOUT' },
      'web push': { error: 'ETIMEDOUT', copies: 2 },
      Twilio: { error: 'ETIMEDOUT', copies: 2 },
    },
  },
];

for (const [title, providers, open] of [
  ['SMTP, FCM or web push', [SMTP, FCM, WEB_PUSH], () => Scene.open({ PROVIDER_TIMEOUT_SECONDS: '1' })],
  ['OneSignal', [ONESIGNAL], () => Scene.withOneSignal({ PROVIDER_TIMEOUT_SECONDS: '1' })],
  ['Twilio', [TWILIO], () => Scene.withTwilio({ PROVIDER_TIMEOUT_SECONDS: '1' })],
  ['SendGrid alone', [SENDGRID], () => Scene.withSendGrid({ SMTP_URL: '', PROVIDER_TIMEOUT_SECONDS: '1' })],
] as const) {
  describe(`A notification when ${title}`, () => {
    let scene: Scene;
    before(async () => {
      scene = await open();
    });
    after(() => scene.close());

    for (const { what, fault, smtpFault = fault, then } of TABLE) {
      it(what, async () => {
        const person = await scene.register();
        await Promise.all([scene.browser(person), scene.phone(person)]);
        if (title === 'Twilio') await scene.number(person);
        const hit = providers.flatMap((provider) => {
          const consequence = then[provider.name];
          return consequence ? [{ ...provider, ...consequence }] : [];
        });
        for (const { name, fail } of hit) fail(scene, name === 'SMTP' ? smtpFault : fault);
        const before = scene.campus.clock.now();
        await scene.notify([person], { channels: hit.map(({ channel }) => channel) });

        for (const { channel, error, minutes = 1, breaker, opens = false } of hit) {
          const state = await scene.delivery(person, channel, error === undefined ? 'sent' : 'failed');
          expect(state).to.include({ attempts: 1, ...(error !== undefined && { error }) });
          // A few seconds pass while the test looks on.
          if (error !== undefined) expect(minutesUntil(state, before)).to.be.within(minutes - 0.1, minutes * 1.2 + 0.2);
          expect(await scene.breaker(breaker(scene)), channel).to.equal(opens ? 2 : 0);
        }

        await scene.advance(12.5, person);
        const notification = await scene.notification(person);
        for (const { channel, error, copies = 1, breaker, identities } of hit) {
          await scene.delivery(person, channel, 'sent', error === undefined ? 1 : 2);
          const all = identities(scene, person, notification);
          expect(all, channel).to.have.length(copies);
          expect(new Set(all)).to.have.property('size', 1);
          expect(await scene.breaker(breaker(scene)), channel).to.equal(0);
        }
      });
    }

    for (const { name, channel, fail, breaker, identities } of providers) {
      it(`has ${name} out of order: it waits untried, and goes out when the provider is back`, async () => {
        const person = await scene.register();
        await Promise.all([scene.browser(person), scene.phone(person)]);
        if (channel === 'sms') await scene.number(person);
        for (const title of ['1', '2', '3', '4', '5']) {
          fail(scene, { kind: 'status', status: name === 'SMTP' ? 421 : 500 });
          await scene.notify([person], { channels: [channel], title });
          await scene.notification(
            person,
            (newest) => newest.title === title && newest.channels[channel].status === 'failed',
          );
        }
        expect(await scene.breaker(breaker(scene))).to.equal(2);

        await scene.notify([person], { channels: [channel], title: 'Meanwhile' });
        const waiting = await scene.notification(person, ({ title }) => title === 'Meanwhile');
        await scene.notify([person], { title: 'Marker' });
        await scene.notification(person, ({ title }) => title === 'Marker');
        // Taken up perhaps, to find out which service it is for, and given back.
        const untried = await until(
          async () => (await person.get('/notifications')).body.data?.find(({ id }: Json) => id === waiting.id),
          (found) => found?.channels[channel].status === 'pending',
        );
        expect(untried.channels[channel]).to.include({ attempts: 0 });
        expect(identities(scene, person, waiting)).to.deep.equal([]);

        scene.campus.clock.advance(30_000);
        const { data } = await until(
          async () => (await person.get('/notifications')).body,
          (page) => page.data?.find(({ id }: Json) => id === waiting.id)?.channels[channel].status === 'sent',
        );
        expect(data.find(({ id }: Json) => id === waiting.id).channels[channel].attempts).to.equal(1);
        expect(await scene.breaker(breaker(scene))).to.equal(0);
      });
    }
  });
}
