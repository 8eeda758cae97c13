import { DOCUMENTS, type DocumentFormat, documentFormatOf } from '../../core/files/document.js';
import { type ImageShape, toWebp } from '../../core/files/image.js';
import { fileTooLarge } from '../../core/http/upload.js';
import { type Media, type MediaFile, type MediaType } from './media.model.js';

/** How large what is uploaded may be. */
export const MOST_BYTES: Readonly<Record<MediaType, number>> = { IMAGE: 10 * 1_048_576, DOCUMENT: 25 * 1_048_576 };

const WHOLE: ImageShape = { formats: ['JPEG', 'PNG', 'WebP', 'GIF'], width: 1_200, height: 1_200, fit: 'inside' };
const SMALL: ImageShape = { ...WHOLE, width: 300, height: 300 };

/** What is to be kept of an upload. */
export interface Prepared {
  facts: Pick<Media, 'contentType' | 'size' | 'width' | 'height' | 'name'>;
  files: Partial<Record<MediaFile, Buffer>>;
}

/**
 * Makes of what was uploaded what is kept of it: images are made anew, and documents only looked at.
 * @throws Problem 413, 415 or 422 where it is too large, not what it is said to be, or damaged
 */
export async function prepare(type: MediaType, file: Buffer, name: string): Promise<Prepared> {
  if (file.length > MOST_BYTES[type]) throw fileTooLarge(MOST_BYTES[type]);
  return type === 'IMAGE' ? prepareImage(file) : prepareDocument(file, name);
}

async function prepareImage(file: Buffer): Promise<Prepared> {
  const { content, width, height } = await toWebp(file, WHOLE);
  // Of the one that is made already: the other one may have fifty million pixels.
  const { content: thumbnail } = await toWebp(content, SMALL);
  return {
    facts: { contentType: 'image/webp', size: content.length, width, height },
    files: { file: content, thumbnail },
  };
}

async function prepareDocument(file: Buffer, name: string): Promise<Prepared> {
  const format = await documentFormatOf(file);
  return {
    facts: { contentType: DOCUMENTS[format], size: file.length, name: documentName(name, format) },
    files: { file },
  };
}

const MOST_CHARACTERS = 100;
// Beside control characters those that turn around how a name reads, so that it seems to end otherwise than it does.
const UNSEEN = /[\p{Cc}\p{Surrogate}\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu;

/** What people call it, without the folders that it lay in, and ending as what it is. */
export function documentName(given: string, format: DocumentFormat): string {
  const last = given.normalize('NFC').replace(UNSEEN, '').split(/[/\\]/).at(-1) ?? '';
  const ending = `.${format}`;
  const stem = last.toLowerCase().endsWith(ending) ? last.slice(0, -ending.length) : last;
  const short = Array.from(stem.trim()).slice(0, MOST_CHARACTERS).join('').trim();
  return `${short === '' ? 'document' : short}${ending}`;
}
