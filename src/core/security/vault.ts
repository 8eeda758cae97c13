import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Encrypts what only two together may read: this server, and whoever brings the other half of the key. */
export interface Vault {
  /** AES-256-GCM, as text that can be stored. */
  seal(text: string): string;
  /** The text again, or `undefined` where no key fits or something was changed. */
  open(sealed: string): string | undefined;
}

export interface VaultOptions {
  /** The server's half: the first seals, all of them open, so that keys can be rotated. */
  secrets: readonly Buffer[];
  /** The other half, of which the server keeps nothing. */
  password: string;
  /** What it is for and whose: what is sealed for one purpose cannot be opened for another. */
  purpose: string;
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export function createVault({ secrets, password, purpose }: VaultOptions): Vault {
  const keyFrom = (secret: Buffer): Buffer => Buffer.from(hkdfSync('sha256', password, secret, purpose, KEY_BYTES));
  return {
    seal(text) {
      const [current] = secrets;
      if (!current) throw new Error('A vault needs a key');
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, keyFrom(current), iv, { authTagLength: TAG_BYTES });
      const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), data]).toString('base64url');
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64url');
      const [iv, tag] = [bytes.subarray(0, IV_BYTES), bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)];
      if (tag.length < TAG_BYTES) return undefined;
      for (const secret of secrets) {
        const decipher = createDecipheriv(CIPHER, keyFrom(secret), iv, { authTagLength: TAG_BYTES }).setAuthTag(tag);
        try {
          const start = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES));
          return Buffer.concat([start, decipher.final()]).toString('utf8');
        } catch {
          // Sealed with another key of the ring, or by someone else.
        }
      }
      return undefined;
    },
  };
}
