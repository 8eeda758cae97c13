export interface SendGridAddress {
  email: string;
  name?: string;
}

/** The body of `/v3/mail/send`. */
export interface SendGridMail {
  personalizations: {
    to: SendGridAddress[];
    subject?: string;
    headers?: Record<string, string>;
    custom_args?: Record<string, string>;
  }[];
  from: SendGridAddress;
  subject?: string;
  content: { type: string; value: string }[];
  categories?: string[];
  headers?: Record<string, string>;
  [field: string]: unknown;
}

/** One entry of `errors`. */
export interface SendGridProblem {
  message: string;
  field: string | null;
  help: string | null;
}

const MOST_RECIPIENTS = 1_000;
const MOST_CATEGORIES = 10;
/** Headers that SendGrid writes itself. */
const RESERVED =
  /^(x-sg-id|x-sg-eid|received|dkim-signature|content-type|content-transfer-encoding)$|^(to|from|subject|reply-to|cc|bcc)$/i;
const ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** The mail, or everything that SendGrid would find wrong with it. */
export function problemsOf(
  body: Buffer,
  refused: ReadonlySet<string>,
): { mail: SendGridMail } | { problems: SendGridProblem[] } {
  const mail = read(body);
  if (!mail) return { problems: [{ message: 'Bad Request', field: null, help: null }] };
  const problems: SendGridProblem[] = [];
  const wrong = (field: string, message: string): void => void problems.push({ message, field, help: null });

  const { personalizations = [], from, content = [], categories = [] } = mail as Partial<SendGridMail>;
  if (personalizations.length === 0) wrong('personalizations', 'The personalizations field is required.');
  if (personalizations.length > MOST_RECIPIENTS)
    wrong('personalizations', 'There is a limit of 1000 personalizations.');
  if (!ADDRESS.test(from?.email ?? '')) wrong('from.email', 'The from email does not contain a valid address.');
  for (const [index, { to = [], subject, headers = {}, custom_args: args = {} }] of personalizations.entries()) {
    const at = `personalizations.${index}`;
    if (to.length === 0) wrong(`${at}.to`, 'The to array is required for all personalization objects.');
    for (const [place, { email }] of to.entries()) {
      if (ADDRESS.test(email) && !refused.has(email)) continue;
      wrong(`${at}.to.${place}.email`, 'Does not contain a valid address.');
    }
    if ((subject ?? mail.subject ?? '') === '') wrong(`${at}.subject`, 'The subject is required.');
    for (const name of Object.keys(headers))
      if (RESERVED.test(name)) wrong(`${at}.headers.${name}`, 'Reserved header.');
    for (const value of Object.values(args)) {
      if (typeof value !== 'string') wrong(`${at}.custom_args`, 'Must be strings.');
    }
  }
  const types = content.map(({ type }) => type);
  if (content.length === 0) wrong('content', 'The content is required.');
  if (types.includes('text/plain') && types[0] !== 'text/plain') wrong('content', 'text/plain must come first.');
  if (content.some(({ value }) => value === '')) wrong('content', 'The content value must be a string.');
  if (categories.length > MOST_CATEGORIES) wrong('categories', 'You cannot have more than 10 categories.');
  return problems.length > 0 ? { problems } : { mail };
}

function read(body: Buffer): SendGridMail | undefined {
  try {
    return JSON.parse(body.toString('utf8')) as SendGridMail;
  } catch {
    return undefined;
  }
}
