/**
 * Who must not appear to whom. Whatever names users asks this: lists leave the hidden ones out in their query, so that
 * pages stay full, and what belongs to a hidden user is answered as if it did not exist. Hidden are those whom a block
 * stands between, and whoever has given up the account, from everyone.
 */
export interface Visibility {
  /** Everyone who must not appear to this user, nor this user to them. Remembered, and dropped when it changes. */
  hiddenFrom(userId: string): Promise<ReadonlySet<string>>;
  /** Whether these two must not appear to each other. */
  areHidden(oneId: string, otherId: string): Promise<boolean>;
  /**
   * Whether one of the two has blocked the other, for many at once and read now, not from memory: for work that must
   * not be late by a moment. Who may still come back is not told apart here: nothing is to be ended because of that.
   */
  hiddenPairs(
    oneIds: Iterable<string>,
    otherIds: Iterable<string>,
  ): Promise<(oneId: string, otherId: string) => boolean>;
}

/** What someone can do to or with another user, if that user lets them. */
export const PERMISSIONS = ['message', 'call', 'viewProfile', 'viewActivity', 'addToGroup'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Whether one user may do something to another, by blocks, connections and the other's privacy settings. */
export interface Permissions {
  /**
   * What cannot be found out is denied.
   * @throws the driver's error where the database is out of reach: the same request may well be allowed a moment later
   */
  can(actorId: string, permission: Permission, targetId: string): Promise<boolean>;
}

/** Who is connected with whom. */
export interface Connections {
  /** Everyone whom this user is connected with, read now. */
  connectedWith(userId: string): Promise<string[]>;
}
