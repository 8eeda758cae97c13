/** At most so many points in so many seconds, counted per user, else per IP. */
export interface Limit {
  /** Limits of one name share their count. */
  readonly name: string;
  readonly points: number;
  readonly seconds: number;
}
