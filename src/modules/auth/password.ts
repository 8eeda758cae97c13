import { hash, verify, type Options } from '@node-rs/argon2';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. The package's default algorithm is argon2id. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const satisfies Options;

/** What every hash made with these parameters begins with. */
const CURRENT = `$argon2id$v=19$m=${PARAMETERS.memoryCost},t=${PARAMETERS.timeCost},p=${PARAMETERS.parallelism}$`;

/** The hash of no password, made with the same parameters: checking it takes as long as checking a real one. */
const NOBODY = hash('no account has this password', PARAMETERS);

export function hashPassword(password: string): Promise<string> {
  return hash(password, PARAMETERS);
}

/** Whether the password fits; takes equally long where there is no hash to compare with. */
export async function passwordFits(storedHash: string | undefined, password: string): Promise<boolean> {
  const fits = await verify(storedHash ?? (await NOBODY), password);
  return fits && storedHash !== undefined;
}

/** Whether a hash was made with other parameters than those of today. */
export function isOutdated(storedHash: string): boolean {
  return !storedHash.startsWith(CURRENT);
}
