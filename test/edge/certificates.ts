import { mkdir, link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { DAY, later } from '../../src/core/clock.js';

/** A private key and its certificate, both in PEM. */
export interface Certificate {
  key: string;
  cert: string;
}

/** A certificate authority of this machine's own, trusted by whoever is handed `caPem`. */
export interface Authority {
  readonly caPem: string;
  /** A server certificate for host names and IP addresses. */
  issue(hosts: string[]): Promise<Certificate>;
}

const CA_FILE = 'development-ca.pem';
const KEY_FILE = 'development-ca-key.pem';
const CA_NAME = 'Atrium development authority';

/** An authority that lives as long as the process. */
export async function createAuthority(): Promise<Authority> {
  return authorityOf(await createRoot());
}

/**
 * The authority kept in a folder, made on first use. Processes that start at the same time end up with the
 * same one.
 */
export async function loadOrCreateAuthority(folder: string): Promise<Authority> {
  await mkdir(folder, { recursive: true });
  const keyFile = join(folder, KEY_FILE);
  const root = (await readRoot(keyFile)) ?? (await keepRoot(keyFile, await createRoot()));
  const caFile = join(folder, CA_FILE);
  const draft = `${caFile}.${randomUUID()}`;
  await writeFile(draft, root.cert);
  await rename(draft, caFile);
  return authorityOf(root);
}

async function createRoot(): Promise<Certificate> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: CA_NAME }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...validity(3650),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { key, cert };
}

function authorityOf(root: Certificate): Authority {
  return {
    caPem: root.cert,
    async issue(hosts) {
      const { private: key, cert } = await generate([{ name: 'commonName', value: hosts[0] ?? 'localhost' }], {
        keyType: 'ec',
        algorithm: 'sha256',
        ...validity(365),
        extensions: [
          { name: 'basicConstraints', cA: false, critical: true },
          { name: 'keyUsage', digitalSignature: true, critical: true },
          { name: 'extKeyUsage', serverAuth: true },
          {
            name: 'subjectAltName',
            altNames: hosts.map((host) => (isIP(host) ? { type: 7, ip: host } : { type: 2, value: host })),
          },
        ],
        ca: root,
      });
      return { key, cert };
    },
  };
}

/** Begins a day early, so that two clocks that differ a little still agree. */
function validity(days: number): { notBeforeDate: Date; notAfterDate: Date } {
  const now = new Date();
  return { notBeforeDate: later(now, -DAY), notAfterDate: later(now, days * DAY) };
}

/** The key file holds the certificate too, so that a key is never read beside another key's certificate. */
async function readRoot(keyFile: string): Promise<Certificate | undefined> {
  try {
    const pem = await readFile(keyFile, 'utf8');
    const [key, cert] = pem.match(/-----BEGIN [A-Z ]+-----[^]+?-----END [A-Z ]+-----/g) ?? [];
    if (key === undefined || cert === undefined) throw new Error(`${keyFile} does not hold a key and a certificate`);
    return { key, cert };
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Keeps the root unless another process was first; answers the one that is kept. */
async function keepRoot(keyFile: string, root: Certificate): Promise<Certificate> {
  const draft = `${keyFile}.${randomUUID()}`;
  await writeFile(draft, `${root.key.trim()}\n${root.cert.trim()}\n`, { mode: 0o600 });
  try {
    await link(draft, keyFile);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
  return (await readRoot(keyFile)) ?? root;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
