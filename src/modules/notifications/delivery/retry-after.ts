/** Milliseconds from a `Retry-After` field: seconds or a date (RFC 9110). */
export function parseRetryAfter(field: string | undefined, now = Date.now()): number | undefined {
  if (field === undefined) return undefined;
  if (/^\d+$/.test(field.trim())) return Number(field) * 1_000;
  const date = Date.parse(field);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
