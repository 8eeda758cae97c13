import { hash, verify, type Options } from '@node-rs/argon2';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. The package's default algorithm is argon2id. */
const PARAMETERS: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

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
