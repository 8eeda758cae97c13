import { expect } from 'chai';
import fc from 'fast-check';
import { readReport } from '../../src/modules/notifications/feedback/delivery-report.js';
import { deliveryReport } from '../edge/delivery-report.js';

const read = (mail: string) => readReport(Buffer.from(mail));
const messageId = '<651234567890123456789012@campus.test>';
const recipient = 'student@elsewhere.test';

describe('A delivery status notification', () => {
  it('says of which mail, to whom, what became, and why', async () => {
    for (const headersOnly of [false, true]) {
      const mail = deliveryReport({ messageId, recipient, headersOnly, id: '<1@mx.elsewhere.test>' });
      expect(await read(mail)).to.deep.equal({
        id: '<1@mx.elsewhere.test>',
        messageId,
        recipients: [{ addresses: [recipient, recipient], action: 'failed', status: '5.1.1' }],
      });
    }
  });

  it('may be about several recipients, in any spelling of fields, folded, with bare line feeds', async () => {
    const report = deliveryReport({ messageId, recipient }).replaceAll('\r\n', '\n');
    const second = 'FINAL-RECIPIENT:\n  RFC822;<Other@Elsewhere.test>\nAction: Delayed\nSTATUS: 4.2.0 (busy)\n';
    const both = report.replace('Arrival-Date: Sat, 21 Nov 2026 09:59:58 +0000 (UTC)\n', `$&\n${second}`);
    const { recipients } = (await read(both))!;
    expect(recipients).to.deep.equal([
      { addresses: ['Other@Elsewhere.test'], action: 'delayed', status: '4.2.0' },
      { addresses: [recipient, recipient], action: 'failed', status: '5.1.1' },
    ]);
  });

  it('may be international, with addresses in any script', async () => {
    const arabic = 'طالب@جامعة.test';
    const mail = deliveryReport({ messageId, recipient: arabic })
      .replace('message/delivery-status', 'message/global-delivery-status')
      .replace('message/rfc822', 'message/global')
      .replaceAll('rfc822;', 'utf-8;');
    expect((await read(mail))!).to.deep.include({
      messageId,
      recipients: [{ addresses: [arabic, arabic], action: 'failed', status: '5.1.1' }],
    });
  });

  it('may leave the mail out and say only which one it answers', async () => {
    const mail = deliveryReport({ messageId, recipient });
    const end = mail.indexOf('Content-Description: Undelivered Message');
    const cut = `In-Reply-To: ${messageId}\r\n${mail.slice(0, end).replace(/--[^-]*$/, '')}`;
    expect((await read(cut))!.messageId).to.equal(messageId);
    expect(await read(cut.replace('In-Reply-To', 'X-Other'))).to.equal(undefined);
  });

  it('is not what any other mail is', async () => {
    const answer = `From: a@b.test\r\nIn-Reply-To: ${messageId}\r\nSubject: Out of office\r\n\r\nFinal-Recipient: x`;
    for (const mail of ['', 'no mail at all', answer]) expect(await read(mail)).to.equal(undefined);
  });

  it('is read without harm however it is mangled', async () => {
    const whole = deliveryReport({ messageId, recipient });
    const mangled = fc
      .tuple(fc.nat(whole.length), fc.nat(40), fc.string({ unit: 'binary', maxLength: 20 }))
      .map(([at, length, text]) => whole.slice(0, at) + text + whole.slice(at + length));
    await fc.assert(
      fc.asyncProperty(mangled, async (mail) => {
        const { recipients = [] } = (await read(mail)) ?? {};
        for (const { status } of recipients) expect(status).to.match(/^[245]\.\d+\.\d+$/);
      }),
      { numRuns: 50 },
    );
  });
});
