export interface Report {
  /** Of the mail that did not arrive. */
  messageId: string;
  recipient: string;
  action?: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';
  status?: string;
  /** Where it went after it had been forwarded. */
  forwardedTo?: string;
  /** Whether only the headers of the mail come back. */
  headersOnly?: boolean;
  /** Names the report itself. */
  id?: string;
}

let count = 0;

/** A delivery status notification as Postfix writes it. */
export function deliveryReport(report: Report): string {
  const { messageId, recipient, action = 'failed', status = '5.1.1', forwardedTo = recipient } = report;
  const { headersOnly = false, id = `<20261121100000.${++count}@mx.elsewhere.test>` } = report;
  const lines = [
    'Return-Path: <>',
    'Date: Sat, 21 Nov 2026 10:00:00 +0000 (UTC)',
    'From: MAILER-DAEMON@mx.elsewhere.test (Mail Delivery System)',
    'Subject: Undelivered Mail Returned to Sender',
    'To: no-reply@campus.test',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    '\tboundary="4C2F1.1763719200/mx.elsewhere.test"',
    `Message-Id: ${id}`,
    '',
    'This is a MIME-encapsulated message.',
    '',
    '--4C2F1.1763719200/mx.elsewhere.test',
    'Content-Description: Notification',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'I am sorry to have to inform you that your message could not be delivered.',
    '',
    '--4C2F1.1763719200/mx.elsewhere.test',
    'Content-Description: Delivery report',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.elsewhere.test',
    'X-Postfix-Queue-ID: 4C2F1',
    'Arrival-Date: Sat, 21 Nov 2026 09:59:58 +0000 (UTC)',
    '',
    `Final-Recipient: rfc822; ${forwardedTo}`,
    `Original-Recipient: rfc822;${recipient}`,
    `Action: ${action}`,
    `Status: ${status}`,
    'Remote-MTA: dns; mail.elsewhere.test',
    `Diagnostic-Code: smtp; ${status.startsWith('5') ? 550 : 451} ${status} <${forwardedTo}>: Recipient address`,
    '    rejected: User unknown',
    '',
    '--4C2F1.1763719200/mx.elsewhere.test',
    `Content-Description: Undelivered Message${headersOnly ? ' Headers' : ''}`,
    `Content-Type: ${headersOnly ? 'text/rfc822-headers' : 'message/rfc822'}`,
    '',
    'Return-Path: <no-reply@campus.test>',
    'From: Atrium <no-reply@campus.test>',
    `To: <${recipient}>`,
    `Message-ID: ${messageId}`,
    'Subject: =?UTF-8?B?2K7YqNix?=',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    ...(headersOnly ? [] : ['Hello', '']),
    '--4C2F1.1763719200/mx.elsewhere.test--',
    '',
  ];
  return lines.join('\r\n');
}
