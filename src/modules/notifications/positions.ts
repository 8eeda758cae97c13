import { type Clock, SECOND } from '../../core/clock.js';

/** Where a client stands among the changes of a user's notifications. */
export interface Standing {
  /** The last change of the inbox that it has heard of. */
  position: number;
  /** The last change of a delivery, by its time and, in the middle of several, its notification. */
  told: { at: Date; id?: string };
  /** In the middle of several: from when on it has to ask once it has them all. */
  next?: Date;
}

/** As clients hold it: the position, the time, and in the middle of several the last one of them. */
export const STANDING = /^(\d{1,15})(?:-(\d{1,15})(?:-(\d{1,15})-([0-9a-f]{24}))?)?$/;

/**
 * Deliveries are told by the time at which they changed, which is not the order in which that was committed, and clocks
 * of nodes differ: whoever comes back is told once more of what has changed in the last moments before.
 */
const OVERLAP_MS = 30 * SECOND;

/** From when on to ask for what may have changed after this moment. */
export function since(moment: Date): Date {
  return new Date(moment.getTime() - OVERLAP_MS);
}

/** How one stands who has heard of everything up to now. */
export function standingNow(position: number, clock: Clock): Standing {
  return { position, told: { at: since(clock.now()) } };
}

export function writeStanding({ position, told: { at, id }, next }: Standing): string {
  const parts = next && id !== undefined ? [next.getTime(), at.getTime(), id] : [at.getTime()];
  return [position, ...parts].join('-');
}

/** @returns `undefined` where it is none */
export function readStanding(text: string): Standing | undefined {
  const [, position, first, second, id] = STANDING.exec(text) ?? [];
  if (position === undefined) return undefined;
  const time = new Date(Number(first ?? 0));
  return second === undefined || id === undefined
    ? { position: Number(position), told: { at: time } }
    : { position: Number(position), next: time, told: { at: new Date(Number(second)), id } };
}
