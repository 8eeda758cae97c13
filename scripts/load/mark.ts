let made = 0;

/**
 * A text that nobody else uses, by which something written is found again. It tells when it was made, so that whoever
 * is shown it on this machine knows how long that took, in whatever process.
 */
export function newMark(personId: string): string {
  made += 1;
  return `${personId}.${process.pid}.${made}.${Date.now()}`;
}

/** When something with this mark was written, in milliseconds since 1970. */
export function sentAt(mark: string): number | undefined {
  const at = Number(mark.split('.')[3]);
  return Number.isFinite(at) ? at : undefined;
}
