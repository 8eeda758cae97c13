import { hash, verify } from '@node-rs/argon2';

/** With 19 MiB OWASP's first choice for argon2id, which is the package's default algorithm. */
const PASSES = { timeCost: 2, parallelism: 1 } as const;

/** How passwords are kept: as argon2id hashes. */
export class Passwords {
  private readonly parameters: { memoryCost: number; timeCost: number; parallelism: number };
  /** What every hash made with these parameters begins with. */
  private readonly current: string;
  /** The hash of no password, made with the same parameters: checking it takes as long as checking a real one. */
  private nobody: Promise<string> | undefined;

  /** @param memoryKib what one hash costs whoever guesses; less than the default is for tests */
  constructor(memoryKib: number) {
    this.parameters = { memoryCost: memoryKib, ...PASSES };
    this.current = `$argon2id$v=19$m=${memoryKib},t=${PASSES.timeCost},p=${PASSES.parallelism}$`;
  }

  hash(password: string): Promise<string> {
    return hash(password, this.parameters);
  }

  /** Whether the password fits; takes equally long where there is no hash to compare with. */
  async fits(storedHash: string | undefined, password: string): Promise<boolean> {
    this.nobody ??= this.hash('no account has this password');
    const fits = await verify(storedHash ?? (await this.nobody), password);
    return fits && storedHash !== undefined;
  }

  /** Whether a hash was made with other parameters than those of today. */
  isOutdated(storedHash: string): boolean {
    return !storedHash.startsWith(this.current);
  }
}
