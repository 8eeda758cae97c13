import Joi from 'joi';

/** An account with a service of Twilio's kind, and who its messages are from. */
export interface SmsAccount {
  accountSid: string;
  authToken: string;
  from: string;
  baseUrl: string;
}

const ACCOUNT = /^AC[0-9a-f]{32}$/;
const SENDER = /^(\+[1-9]\d{5,14}|MG[0-9a-f]{32}|[A-Za-z0-9 ]{3,11})$/;

/** `https://<account>:<token>@api.twilio.com?from=<sender>`; a plus sign may stand in it as it is. */
export const smsUrl = Joi.string().custom((value: string, helpers) => {
  const account = URL.canParse(value) ? accountIn(new URL(value)) : undefined;
  return account ?? helpers.message({ custom: '{{#label}} must be like https://<account>:<token>@host?from=<sender>' });
}) as unknown as Joi.Schema<SmsAccount>;

function accountIn({ protocol, username, password, origin, search }: URL): SmsAccount | undefined {
  const from = new URLSearchParams(search.replaceAll('+', '%2B')).get('from') ?? '';
  const isWhole = protocol === 'https:' && ACCOUNT.test(username) && password !== '' && SENDER.test(from);
  return isWhole ? { accountSid: username, authToken: decodeURIComponent(password), from, baseUrl: origin } : undefined;
}
