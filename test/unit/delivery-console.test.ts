import { expect } from 'chai';
import { createServer } from 'node:net';
import { pino } from 'pino';
import { consoleSms, mailOrConsole } from '../../src/modules/notifications/delivery/console-fallback.js';
import { createSmtpTransport } from '../../src/modules/notifications/delivery/smtp-transport.js';
import { startEdge } from '../edge/index.js';
import { listen } from '../edge/loopback.js';

const email = {
  notificationId: '1',
  userId: '2',
  categories: ['system'],
  to: { name: 'Amal', address: 'amal@campus.test' },
  messageId: '<1@campus.test>',
  headers: {},
  subject: 'Hello',
  text: 'The text',
  html: '<p>The text</p>',
};

describe('Mail in development', () => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const transportTo = (url: string) =>
    mailOrConsole(createSmtpTransport({ url, from: 'no-reply@campus.test', timeoutMs: 5_000 }), log);
  beforeEach(() => void (lines.length = 0));

  it('is shown on the console where no catcher listens, and counts as sent', async () => {
    const server = createServer();
    const closedPort = await listen(server, 0);
    await new Promise((resolve) => server.close(resolve));
    const transport = transportTo(`smtp://127.0.0.1:${closedPort}`);

    const sent = { outcome: { kind: 'sent', providerMessageId: 'console' } };
    expect(await transport.send([email])).to.deep.equal([sent]);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ msg: 'e-mail (console)', subject: 'Hello', text: 'The text' });
    await transport.close();
  });

  it('is shown on the console as SMS are, which have no catcher; not to whom they go', async () => {
    const [transport, to] = [consoleSms(log), '+962791234567'];
    const sent = { outcome: { kind: 'sent', providerMessageId: 'console' } };
    expect(await transport.send({ notificationId: '1', userId: '2', to, text: 'The text' })).to.deep.equal(sent);
    expect(lines[0]).to.include({ msg: 'SMS (console)', text: 'The text' });
    expect(JSON.stringify(lines)).to.not.contain(to);
    await transport.close();
  });

  it('goes to the catcher where one listens, and what that says counts', async () => {
    const edge = await startEdge();
    const transport = transportTo(edge.smtp.url);
    try {
      const sent = { outcome: { kind: 'sent', providerMessageId: email.messageId } };
      expect(await transport.send([email])).to.deep.equal([sent]);
      edge.smtp.faults.next({ kind: 'status', status: 450 });
      const [refused] = await transport.send([email]);
      expect(refused!.outcome).to.deep.include({ kind: 'retry', error: 'SMTP_450' });
      expect(refused!.verdict).to.equal(undefined);
      expect(lines).to.deep.equal([]);
    } finally {
      await transport.close();
      await edge.stop();
    }
  });
});
