/** How people behave, by the hour that one is connected. All of it is assumed; the reasons stand beside it. */
export interface Habit {
  /** The name under which it was measured. */
  action: string;
  /** So often in an hour. */
  perHour: number;
  why: string;
}

export const HABITS: readonly Habit[] = [
  { action: 'postsPage', perHour: 12, why: 'somebody’s posts or the next page of them every five minutes' },
  { action: 'commentsPage', perHour: 6, why: 'the comments of every second page that is looked at' },
  { action: 'reaction', perHour: 3, why: 'one for four pages of posts' },
  { action: 'comment', perHour: 0.5, why: 'one for six reactions' },
  { action: 'post', perHour: 0.1, why: 'most people read; one in ten hours' },
  { action: 'directMessage', perHour: 6, why: 'a short exchange every ten minutes with somebody who is there' },
  { action: 'groupMessage', perHour: 2, why: 'a quarter of what is said is said in groups; ten of one are there' },
  { action: 'messageToAbsent', perHour: 1, why: 'one in nine goes to somebody who is not there' },
  { action: 'notificationsRead', perHour: 3, why: 'the list is opened every twenty minutes' },
  { action: 'presenceWatch', perHour: 4, why: 'a list of people comes onto the screen four times' },
  { action: 'presenceChange', perHour: 1, why: 'busy, away or back once' },
  { action: 'visit', perHour: 2, why: 'the app is opened and closed again after half an hour' },
  { action: 'refresh', perHour: 4, why: 'an access token holds for 15 minutes' },
  { action: 'signIn', perHour: 0.02, why: 'a refresh token holds for 30 days; new devices and signing out' },
];

export interface Profile {
  /** Connected at the same time, in the busiest hour of a day. */
  connected: number;
  habits: readonly Habit[];
  /** How much more is done in the busiest minute of that hour than on its average: a lecture ends, news goes round. */
  peakFactor: number;
  /** Of a day's busiest hour, how many are connected on the average of its 24. */
  dayShare: number;
}

export function profileOf(connected: number): Profile {
  return { connected, habits: HABITS, peakFactor: 2, dayShare: 0.4 };
}

/** How often something is done in a second of the busiest minute. */
export function atPeak({ connected, peakFactor }: Profile, { perHour }: Habit): number {
  return (connected * perHour * peakFactor) / 3_600;
}

/** How often something is done in a day. */
export function inADay({ connected, dayShare }: Profile, { perHour }: Habit): number {
  return connected * dayShare * perHour * 24;
}
