import { fileTypeFromBuffer } from 'file-type';

/** The media type of a file, told by its content alone; absent where it is none that is known. */
export async function contentTypeOf(file: Buffer): Promise<string | undefined> {
  try {
    return (await fileTypeFromBuffer(file))?.mime;
  } catch {
    // It looked like an archive and could not be read as one.
    return undefined;
  }
}
