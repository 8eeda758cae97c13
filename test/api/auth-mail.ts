import { type CodePurpose } from '../../src/modules/auth/index.js';
import { type Campus, type Person } from '../support/campus.js';

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

const CODE_SUBJECTS: Record<CodePurpose, RegExp> = {
  emailChange: EMAIL_CHANGE_CODE,
  passwordChange: /Your code to change your password|رمز تغيير كلمة مرورك/,
  erasure: /Your code to delete your account|رمز حذف حسابك/,
  export: /Your code to export your data|رمز تصدير بياناتك/,
};

/** Asks for a code as its owner does, and reads it in the mail that brings it. */
export async function newCode(campus: Campus, person: Person, purpose: CodePurpose): Promise<string> {
  const subject = CODE_SUBJECTS[purpose];
  const earlier = campus.edge.smtp.received.filter(
    (mail) => mail.envelope.to.includes(person.email) && subject.test(mail.subject ?? ''),
  ).length;
  const { status, body } = await person.post('/auth/codes', { purpose });
  if (status !== 202) throw new Error(`no code was sent: ${JSON.stringify(body)}`);
  return codeFor(campus, person.email, subject, earlier + 1);
}

/** Another code than that. */
export function wrongCode(code: string): string {
  return String((Number(code) + 1) % 1_000_000).padStart(6, '0');
}
