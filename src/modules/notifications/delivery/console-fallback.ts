import { type Log } from '../../../core/observability/log.js';
import { type DeviceResult } from './device-results.js';
import { type EmailTransport } from './email-sender.js';
import { type Outcome } from './outcome.js';
import { type PushTransport } from './push-sender.js';

const nobodyListens = (result: Outcome | DeviceResult): boolean =>
  result.kind === 'retry' && result.error === 'ECONNREFUSED';

/** Development: while no mail catcher listens, e-mails are shown on the console. */
export function mailOrConsole(transport: EmailTransport, log: Log): EmailTransport {
  return {
    ...transport,
    async send(email) {
      const outcome = await transport.send(email);
      if (!nobodyListens(outcome)) return outcome;
      log.info({ subject: email.subject, text: email.text }, 'e-mail (console)');
      return { kind: 'sent', providerMessageId: 'console' };
    },
  };
}

/** Development: while no local push endpoint listens, pushes to phones are shown on the console. */
export function pushOrConsole(transport: PushTransport, log: Log): PushTransport {
  return {
    ...transport,
    async send(pushes) {
      const results = await transport.send(pushes);
      return results.map((result, index): DeviceResult => {
        if (!nobodyListens(result)) return result;
        const { title, body } = pushes[index]?.notification ?? {};
        log.info({ title, body }, 'mobile push (console)');
        return { kind: 'accepted', providerMessageId: 'console' };
      });
    },
  };
}
