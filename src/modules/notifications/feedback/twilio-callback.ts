/** Below the version prefix. */
export const TWILIO_WEBHOOK = '/webhooks/twilio';

/** Where Twilio is asked to tell what became of a message; not where the campus is only on a developer's machine. */
export function twilioCallbackUrl(publicUrl: string): string | undefined {
  const url = new URL(`/api/v1${TWILIO_WEBHOOK}`, publicUrl);
  return url.protocol === 'https:' ? url.href : undefined;
}
