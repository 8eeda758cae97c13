import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a request brings that Twilio has signed. */
export interface TwilioRequest {
  /** The path with its query, as it was asked for. */
  path: string;
  form: URLSearchParams;
  signature: string;
}

/**
 * Checks what Twilio has signed: HMAC-SHA1 with the account's token over the URL that it was given, whatever stands
 * between it and us, and all fields of the form by their names.
 */
export function twilioSignatures(authToken: string, publicUrl: string): (request: TwilioRequest) => boolean {
  return ({ path, form, signature }) => {
    const names = [...new Set(form.keys())].sort();
    const fields = names.map((name) => `${name}${form.getAll(name).join('')}`).join('');
    const expected = createHmac('sha1', authToken)
      .update(new URL(path, publicUrl).href + fields)
      .digest();
    const given = Buffer.from(signature, 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
}
