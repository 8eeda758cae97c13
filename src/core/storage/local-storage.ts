import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkKey, type Storage } from './storage.js';

/** Files in a folder, for one machine or a shared disk. */
export function localStorage(folder: string): Storage {
  const pathOf = (key: string): string => join(folder, ...checkKey(key).split('/'));
  return {
    async put(key, body) {
      const path = pathOf(key);
      // Half a file must never be seen under its name, whatever ends the process.
      const unfinished = `${path}.${randomBytes(6).toString('hex')}.part`;
      await mkdir(dirname(path), { recursive: true });
      try {
        await writeFile(unfinished, body, { flag: 'wx', flush: true });
        await rename(unfinished, path);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw error;
      }
    },
    async get(key) {
      try {
        return await readFile(pathOf(key));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async remove(key) {
      await rm(pathOf(key), { force: true });
    },
    async removeAll(prefix) {
      await rm(pathOf(prefix), { force: true, recursive: true });
    },
  };
}
