/** Connections that stay open, and end with what allowed them. Called on every node, from the feed. */
export interface Connections {
  /** Closes every one of a session. */
  disconnectSession(sessionId: string): void;
  /** Looks anew at who a user's speak for, after a change of role or rights. */
  recheckUser(userId: string): void;
}
