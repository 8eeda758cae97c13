import { createAuthority, loadOrCreateAuthority, type Authority } from './certificates.js';
import { FcmEdge } from './fcm.js';
import { OneSignalEdge } from './onesignal.js';
import { SendGridEdge } from './sendgrid.js';
import { SmtpEdge } from './smtp.js';
import { TwilioEdge } from './twilio.js';
import { WebPushEdge } from './web-push.js';

export * from './certificates.js';
export * from './faults.js';
export * from './fcm.js';
export * from './inbox.js';
export * from './onesignal.js';
export * from './sendgrid.js';
export * from './smtp.js';
export * from './twilio.js';
export * from './vapid.js';
export * from './web-push.js';

export interface EdgeOptions {
  /** Keep the authority in this folder; without it there is a new one each time. */
  folder?: string;
  ports?: { smtp?: number; sendgrid?: number; webPush?: number; fcm?: number };
}

export interface Edge {
  smtp: SmtpEdge;
  sendgrid: SendGridEdge;
  webPush: WebPushEdge;
  fcm: FcmEdge;
  oneSignal: OneSignalEdge;
  twilio: TwilioEdge;
  authority: Authority;
  stop(): Promise<void>;
}

/** Starts a mail server, SendGrid, a push service, FCM, OneSignal and Twilio on the loopback address. */
export async function startEdge({ folder, ports = {} }: EdgeOptions = {}): Promise<Edge> {
  const authority = await (folder === undefined ? createAuthority() : loadOrCreateAuthority(folder));
  const smtp = new SmtpEdge();
  const sendgrid = new SendGridEdge(authority);
  const webPush = new WebPushEdge(authority);
  const fcm = new FcmEdge(authority);
  const oneSignal = new OneSignalEdge(authority);
  const twilio = new TwilioEdge(authority);
  const stop = async () => {
    const all = [smtp, sendgrid, webPush, fcm, oneSignal, twilio];
    await Promise.all(all.map((each) => each.stop()));
  };
  try {
    await Promise.all([
      smtp.start(ports.smtp),
      sendgrid.start(ports.sendgrid),
      webPush.start(ports.webPush),
      fcm.start(ports.fcm),
      oneSignal.start(),
      twilio.start(),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { smtp, sendgrid, webPush, fcm, oneSignal, twilio, authority, stop };
}
