import pLimit from 'p-limit';
import sharp from 'sharp';
import { Problem } from '../http/problem.js';
import { contentTypeOf } from './content-type.js';

const FORMATS = {
  JPEG: ['image/jpeg'],
  PNG: ['image/png', 'image/apng'],
  WebP: ['image/webp'],
  GIF: ['image/gif'],
} as const satisfies Record<string, readonly string[]>;
export type ImageFormat = keyof typeof FORMATS;

/** What is made of an image. */
export interface ImageShape {
  /** What the file may be, told by its content. */
  formats: readonly ImageFormat[];
  width: number;
  height: number;
  /** `cover` cuts it to just this size; `inside` makes it smaller until it fits, and never larger. */
  fit: 'cover' | 'inside';
}

/** A WebP, and its size in pixels. */
export interface Image {
  content: Buffer;
  width: number;
  height: number;
}

/** A picture of 50 million pixels is larger than what cameras of phones make, and takes 200 MB to decode. */
const MOST_PIXELS = 50_000_000;

// Each decoding may take that much memory, so few run at once.
const atOnce = pLimit(2);

/**
 * Makes a WebP of an image: upright, brought to size, the first image of an animation, and nothing else of what the
 * file held: no metadata, no colour profile, nothing behind the image.
 * @throws Problem 415 where the content is in none of the formats, 422 where it is damaged or too many pixels
 */
export async function toWebp(file: Buffer, { formats, width, height, fit }: ImageShape): Promise<Image> {
  const contentType = await contentTypeOf(file);
  const accepted = formats.flatMap((format): readonly string[] => FORMATS[format]);
  if (contentType === undefined || !accepted.includes(contentType)) throw unsupported(formats);
  try {
    const { data, info } = await atOnce(() =>
      sharp(file, { limitInputPixels: MOST_PIXELS, failOn: 'warning', pages: 1 })
        .autoOrient()
        .resize(width, height, { fit, withoutEnlargement: fit === 'inside' })
        .webp({ quality: 82 })
        .timeout({ seconds: 20 })
        .toBuffer({ resolveWithObject: true }),
    );
    return { content: data, width: info.width, height: info.height };
  } catch (error) {
    throw new Problem({
      status: 422,
      code: 'IMAGE_UNREADABLE',
      detail: 'The image is damaged, or has too many pixels.',
      cause: error,
    });
  }
}

function unsupported(formats: readonly ImageFormat[]): Problem {
  const names = `${formats.slice(0, -1).join(', ')} or ${formats.at(-1) ?? ''}`;
  return new Problem({ status: 415, code: 'UNSUPPORTED_IMAGE', detail: `The file must be a ${names} image.` });
}
