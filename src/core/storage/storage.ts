/**
 * Keeps files. A local folder for now; a store of objects can do the same. Keys are made by the server of ids, digests
 * and fixed words, never of names that users give: segments of `[a-z0-9.-]`, separated by slashes.
 */
export interface Storage {
  /** Keeps a file under a key that was never used before; all of it or nothing. */
  put(key: string, body: Buffer): Promise<void>;
  /** The file, or `undefined` where there is none. */
  get(key: string): Promise<Buffer | undefined>;
  /** Removes a file; removing it again changes nothing. */
  remove(key: string): Promise<void>;
  /** Removes every file below a key. */
  removeAll(prefix: string): Promise<void>;
}

const KEY = /^[a-z0-9][a-z0-9.-]*(\/[a-z0-9][a-z0-9.-]*)*$/;

/** @throws Error where a key could lead somewhere else, which means that something other than the server made it */
export function checkKey(key: string): string {
  if (!KEY.test(key) || key.includes('..')) throw new Error('a storage key has a form that no key can have');
  return key;
}
