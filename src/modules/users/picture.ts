import { createHash, randomBytes } from 'node:crypto';
import { fileTypeFromBuffer } from 'file-type';
import pLimit from 'p-limit';
import sharp from 'sharp';
import { Problem } from '../../core/http/problem.js';

/** The pictures of a profile: how large a file may be, and the size it is brought to. */
export const PICTURES = {
  avatar: { maxBytes: 5 * 1_048_576, width: 400, height: 400 },
  banner: { maxBytes: 10 * 1_048_576, width: 1_584, height: 396 },
} as const;
export type PictureKind = keyof typeof PICTURES;

const ACCEPTED: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/apng', 'image/webp']);

/** A picture of 50 million pixels is larger than what cameras of phones make, and takes 200 MB to decode. */
const MOST_PIXELS = 50_000_000;

// Each decoding may take that much memory, so few run at once.
const atOnce = pLimit(2);

/**
 * Makes the WebP that is kept of a picture: upright, cut to size, the first image of an animation, and nothing else
 * of what the file held: no metadata, no colour profile, nothing behind the image.
 * @throws Problem 415 where the content is no JPEG, PNG or WebP, 422 where it is damaged or too many pixels
 */
export async function toPicture(file: Buffer, kind: PictureKind): Promise<Buffer> {
  const type = await fileTypeFromBuffer(file);
  if (!type || !ACCEPTED.has(type.mime)) {
    throw new Problem({
      status: 415,
      code: 'UNSUPPORTED_IMAGE',
      detail: 'The file must be a JPEG, PNG or WebP image.',
    });
  }
  const { width, height } = PICTURES[kind];
  try {
    return await atOnce(() =>
      sharp(file, { limitInputPixels: MOST_PIXELS, failOn: 'warning', pages: 1 })
        .autoOrient()
        .resize(width, height, { fit: 'cover' })
        .webp({ quality: 82 })
        .timeout({ seconds: 20 })
        .toBuffer(),
    );
  } catch (error) {
    throw new Problem({
      status: 422,
      code: 'IMAGE_UNREADABLE',
      detail: 'The image is damaged, or has too many pixels.',
      cause: error,
    });
  }
}

/**
 * A name that only this content has, and only from this upload: it can be cached for ever, and removing the file of
 * an earlier upload can never hit a later one of the same content.
 */
export function pictureName(kind: PictureKind, content: Buffer): string {
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 32);
  return `${kind}-${digest}-${randomBytes(4).toString('hex')}.webp`;
}

/** Where a picture is kept; everything of a user is kept below the user's id. */
export function pictureKey(userId: string, name: string): string {
  return `${userId}/${name}`;
}
