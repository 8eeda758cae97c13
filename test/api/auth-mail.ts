import { type Campus } from '../support/campus.js';

/** The newest mail to someone with that subject. */
export async function mailTo(campus: Campus, email: string, subject: RegExp, count = 1) {
  const mails = await campus.edge.smtp.waitFor(
    (mail) => mail.envelope.to.includes(email) && subject.test(mail.subject ?? ''),
    { count },
  );
  return mails.at(-1)!;
}

/** The token that a mailed link carries. */
export async function tokenFor(campus: Campus, email: string, subject: RegExp, count = 1): Promise<string> {
  const { text = '' } = await mailTo(campus, email, subject, count);
  const token = /\?token=([\w.-]+)/.exec(text)?.[1];
  if (token === undefined) throw new Error(`no token in: ${text}`);
  return token;
}

export const CONFIRM = /Confirm your e-mail address/;
export const RESET = /Choose a new password/;
