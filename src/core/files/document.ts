import { unzipSync } from 'fflate';
import { Problem } from '../http/problem.js';
import { contentTypeOf } from './content-type.js';

const OFFICE = 'application/vnd.openxmlformats-officedocument';

/** What documents may be: the media type of each, by the extension that it is known by. */
export const DOCUMENTS = {
  pdf: 'application/pdf',
  docx: `${OFFICE}.wordprocessingml.document`,
  pptx: `${OFFICE}.presentationml.presentation`,
} as const;
export type DocumentFormat = keyof typeof DOCUMENTS;

/** Whoever opens it unpacks it. */
const MOST_UNPACKED_BYTES = 500 * 1_048_576;
const MOST_ENTRIES = 10_000;

/**
 * Which document a file is, told by its content. It is looked at and not changed, so that it has to be a document and
 * nothing else: no archive behind a PDF, nothing before, between or behind the parts of an Office file, and no macros.
 * @throws Problem 415 where it is no PDF, DOCX or PPTX, 422 where it is damaged or more than that
 */
export async function documentFormatOf(file: Buffer): Promise<DocumentFormat> {
  const contentType = await contentTypeOf(file);
  const format = (Object.keys(DOCUMENTS) as DocumentFormat[]).find((each) => DOCUMENTS[each] === contentType);
  if (!format) {
    const detail = 'The file must be a PDF, DOCX or PPTX document.';
    throw new Problem({ status: 415, code: 'UNSUPPORTED_DOCUMENT', detail });
  }
  if (!(format === 'pdf' ? isPdfAlone(file) : isOfficeAlone(file))) {
    const detail = 'The document is damaged, or holds what no document should.';
    throw new Problem({ status: 422, code: 'DOCUMENT_UNREADABLE', detail });
  }
  return format;
}

const PDF_END = '%%EOF';
/** Some programs add a few bytes behind the end; whoever reads a PDF looks for it in the last kilobyte. */
const PDF_TAIL_BYTES = 1_024;

function isPdfAlone(file: Buffer): boolean {
  return file.subarray(-PDF_TAIL_BYTES).includes(PDF_END, 0, 'latin1') && !endOfArchive(file);
}

function isOfficeAlone(file: Buffer): boolean {
  const end = endOfArchive(file);
  if (!end) return false;
  const { at, entries, directoryAt, directoryBytes } = end;
  // What stands before it would have moved the list, and what stands behind it the end.
  if (directoryAt + directoryBytes !== at || entries > MOST_ENTRIES) return false;
  let unpackedBytes = 0;
  const names: string[] = [];
  try {
    // Only the list of what is in it is read.
    unzipSync(file, {
      filter({ name, originalSize }) {
        names.push(name);
        unpackedBytes += originalSize;
        return false;
      },
    });
  } catch {
    return false;
  }
  const hasMacros = names.some((name) => /vbaProject\.bin$/i.test(name));
  return names.includes('[Content_Types].xml') && !hasMacros && unpackedBytes <= MOST_UNPACKED_BYTES;
}

const END_SIGNATURE = Buffer.from('PK\x05\x06', 'latin1');
const END_BYTES = 22;

/** Where the list of an archive is, if the file ends as one: programs that open archives look there, not at the start. */
function endOfArchive(file: Buffer) {
  const at = file.lastIndexOf(END_SIGNATURE);
  if (at < 0 || at + END_BYTES > file.length) return undefined;
  const commentBytes = file.readUInt16LE(at + 20);
  if (at + END_BYTES + commentBytes !== file.length) return undefined;
  return {
    at,
    entries: file.readUInt16LE(at + 10),
    directoryBytes: file.readUInt32LE(at + 12),
    directoryAt: file.readUInt32LE(at + 16),
  };
}
