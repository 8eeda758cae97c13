import { Zip, ZipDeflate, ZipPassThrough } from 'fflate';
import { type ExportPart, type PersonalData } from '../../core/personal-data.js';

/**
 * Packs parts of an export into a zip, item by item: in memory there is only what is packed already.
 * @throws Error where two parts have the same name, or what a contributor throws
 */
export async function archiveOf(userId: string, contributors: readonly PersonalData[], at: Date): Promise<Buffer> {
  const writer = new ArchiveWriter(at);
  for (const contributor of contributors) {
    for await (const part of contributor.export(userId)) writer.add(part);
    writer.closeList();
  }
  return writer.end();
}

class ArchiveWriter {
  private readonly chunks: Uint8Array[] = [];
  private readonly names = new Set<string>();
  private failure: Error | undefined;
  private list: { name: string; file: ZipDeflate; isEmpty: boolean } | undefined;
  private readonly zip = new Zip((error, chunk) => {
    if (error) this.failure = error;
    else this.chunks.push(chunk);
  });

  constructor(private readonly at: Date) {}

  add(part: ExportPart): void {
    if ('file' in part) {
      this.closeList();
      // Pictures are packed as they are, they would not become smaller.
      const { file: name, content } = part;
      const file = this.enter(name.endsWith('.json') ? new ZipDeflate(name) : new ZipPassThrough(name));
      file.push(content, true);
      return;
    }
    if (this.list?.name !== part.list) {
      this.closeList();
      const file = this.enter(new ZipDeflate(`${part.list}.json`));
      this.list = { name: part.list, file, isEmpty: true };
    }
    if (part.item) this.write(this.list, part.item);
  }

  end(): Buffer {
    this.closeList();
    this.zip.end();
    if (this.failure) throw this.failure;
    return Buffer.concat(this.chunks);
  }

  private write(list: { file: ZipDeflate; isEmpty: boolean }, item: object): void {
    list.file.push(Buffer.from(`${list.isEmpty ? '[\n' : ',\n'}${JSON.stringify(item, undefined, 2)}`));
    list.isEmpty = false;
  }

  /** Ends the list that was opened last, if any. */
  closeList(): void {
    if (!this.list) return;
    const { file, isEmpty } = this.list;
    file.push(Buffer.from(isEmpty ? '[]\n' : '\n]\n'), true);
    this.list = undefined;
  }

  private enter<T extends ZipDeflate | ZipPassThrough>(file: T): T {
    if (this.names.has(file.filename)) throw new Error(`two parts of an export are called ${file.filename}`);
    this.names.add(file.filename);
    file.mtime = this.at;
    this.zip.add(file);
    return file;
  }
}
