/** The demonstration cannot take place here; the message says why and what to do. */
export class CannotRun extends Error {}
