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
export const EMAIL_CHANGE_CODE = /Your code to change your e-mail address/;
export const CONFIRM_NEW = /Confirm your new e-mail address/;

/** The code that a mail shows. */
export async function codeFor(campus: Campus, email: string, subject: RegExp, count = 1): Promise<string> {
  const { text = '' } = await mailTo(campus, email, subject, count);
  const code = /^\d{6}$/m.exec(text)?.[0];
  if (code === undefined) throw new Error(`no code in: ${text}`);
  return code;
}
