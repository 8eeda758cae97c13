import { type Log } from '../../../core/observability/log.js';
import { type DeviceResult } from './device-results.js';
import { type EmailResult, type EmailTransport } from './email-transport.js';
import { type PushTransport } from './push-transport.js';
import { type SmsTransport } from './sms-transport.js';

const NOBODY_LISTENS = 'ECONNREFUSED';

/** Development: while no mail catcher listens, e-mails are shown on the console. */
export function mailOrConsole(transport: EmailTransport, log: Log): EmailTransport {
  return {
    ...transport,
    async send(emails) {
      const results = await transport.send(emails);
      return results.map((result, index): EmailResult => {
        const { outcome } = result;
        if (outcome.kind !== 'retry' || outcome.error !== NOBODY_LISTENS) return result;
        const { subject, text } = emails[index] ?? {};
        log.info({ subject, text }, 'e-mail (console)');
        return { outcome: { kind: 'sent', providerMessageId: 'console' } };
      });
    },
  };
}

/** Development: SMS are shown on the console, but for whom they are. */
export function consoleSms(log: Log): SmsTransport {
  return {
    atOnce: 1,
    send({ text }) {
      log.info({ text }, 'SMS (console)');
      return Promise.resolve({ outcome: { kind: 'sent', providerMessageId: 'console' } });
    },
    close: () => Promise.resolve(),
  };
}

/** Development: while no local push endpoint listens, pushes to phones are shown on the console. */
export function pushOrConsole(transport: PushTransport, log: Log): PushTransport {
  return {
    ...transport,
    async send(pushes) {
      const results = await transport.send(pushes);
      return results.map((result, index): DeviceResult => {
        if (result.kind !== 'retry' || result.error !== NOBODY_LISTENS) return result;
        const { title, body } = pushes[index]?.notification ?? {};
        log.info({ title, body }, 'mobile push (console)');
        return { kind: 'accepted', providerMessageId: 'console' };
      });
    },
  };
}
