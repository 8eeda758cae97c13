import { CannotRun } from './cannot-run.js';
import { type Channel } from './arrivals.js';
import { type Performed } from './timeline.js';

interface Delivery {
  status: string;
  reason?: string;
  error?: string;
  providerMessageId?: string;
}

const SETTING: Partial<Record<Channel, string>> = { email: 'SMTP_URL', mobilePush: 'FCM_SERVICE_ACCOUNT' };

/** What the server says became of the notification on each channel. */
export async function deliveriesOf({ recipient, told }: Performed): Promise<Partial<Record<Channel, Delivery>>> {
  const answer = await recipient.person.get('/notifications?limit=100');
  const { data } = answer.body as { data: { id: string; channels: Partial<Record<Channel, Delivery>> }[] };
  return data.find(({ id }) => id === told?.id)?.channels ?? {};
}

/**
 * Tells a server that delivers elsewhere from one that fails to deliver.
 * @returns what the server says of the channel
 * @throws CannotRun where the fault lies in how server and demonstration were started
 */
export function explain(channel: Channel, delivery: Delivery | undefined): string {
  if (!delivery) return 'the notification does not have this channel';
  const { status, reason, error, providerMessageId } = delivery;
  if (status === 'skipped') {
    throw new CannotRun(
      `The server skipped ${channel} (${reason ?? 'no reason given'}): it does not run in development mode (NODE_ENV).`,
    );
  }
  if (providerMessageId === 'console') {
    throw new CannotRun(`The server could not reach this program's ${channel} port and showed it on its console.`);
  }
  if (status === 'sent') {
    const setting = SETTING[channel];
    throw new CannotRun(
      `The server says that ${channel} was sent, but not to here.${setting === undefined ? '' : ` Is ${setting} set?`}`,
    );
  }
  if (error !== undefined && /CERT|SIGNED|certificate/i.test(error)) {
    throw new CannotRun(
      `The server does not trust this program's certificate (${error}). Start both with the same DATA_DIR.`,
    );
  }
  return `it is ${status}${error === undefined ? '' : ` (${error})`}`;
}
