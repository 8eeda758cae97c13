import { isIPv6 } from 'node:net';
import { type Request } from 'express';
import { type Actor } from './route.js';

/** Whom limits and idempotency keys count by: the user, else the network address. */
export function subjectOf(request: Request, actor: Actor | undefined): string {
  return actor ? `user:${actor.id}` : `ip:${networkOf(request.ip ?? 'unknown')}`;
}

/**
 * The part of an address that belongs to one customer: all of an IPv4 address, the first 64 bits of an IPv6 one,
 * since whoever has one of those has all of them.
 */
export function networkOf(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!isIPv6(ip)) return ip;
  const [address = ''] = ip.split('%');
  // The parser of URLs spells every address in its one canonical form.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = new Array<string>(8 - groups.length - after.length).fill('0');
  return `${[...groups, ...zeros, ...after].slice(0, 4).join(':')}::/64`;
}
