import { createHash, randomBytes } from 'node:crypto';
import { type ImageShape, toWebp } from '../../core/files/image.js';

/** The pictures of a profile: how large a file may be, and the size it is brought to. */
export const PICTURES = {
  avatar: { maxBytes: 5 * 1_048_576, width: 400, height: 400 },
  banner: { maxBytes: 10 * 1_048_576, width: 1_584, height: 396 },
} as const;
export type PictureKind = keyof typeof PICTURES;

const SHAPE = { formats: ['JPEG', 'PNG', 'WebP'], fit: 'cover' } as const satisfies Partial<ImageShape>;

/**
 * Makes the WebP that is kept of a picture, cut to its size.
 * @throws Problem 415 where the content is no JPEG, PNG or WebP, 422 where it is damaged or too many pixels
 */
export async function toPicture(file: Buffer, kind: PictureKind): Promise<Buffer> {
  const { width, height } = PICTURES[kind];
  return (await toWebp(file, { ...SHAPE, width, height })).content;
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
