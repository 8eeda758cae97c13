import { type Request } from 'express';

/** Where a sign-in comes from. */
export interface Device {
  ip: string;
  userAgent: string | undefined;
}

/** Where a request comes from. */
export function deviceOf(request: Request): Device {
  return { ip: request.ip ?? 'unknown', userAgent: request.get('user-agent')?.slice(0, 300) };
}

// The first that fits counts: most browsers name those that they descend from as well.
const BROWSERS: [RegExp, string][] = [
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\/|Opera/, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\//, 'Chrome'],
  [/Version\/.*Safari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/iPhone|iPad|iPod/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

/**
 * A device as its owner would name it: "Firefox, Windows". Without versions, so that an update makes no new device.
 * What is no browser is named by its first word.
 */
export function describeDevice(userAgent: string | null | undefined): string {
  if (userAgent === null || userAgent === undefined || userAgent.trim() === '') return 'Unknown device';
  const known = [BROWSERS, SYSTEMS].flatMap((list) => list.find(([pattern]) => pattern.test(userAgent))?.[1] ?? []);
  if (known.length > 0) return known.join(', ');
  return /[\w.-]+/.exec(userAgent)?.[0].slice(0, 40) ?? 'Unknown device';
}
