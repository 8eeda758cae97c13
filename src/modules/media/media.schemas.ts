import { described, instant, named, objectId, oneOf, shape, text, whole } from '../../core/http/schema.js';
import { MEDIA_STATUSES, MEDIA_TYPES } from './media.model.js';

const MOST_CHARACTERS = 500;
const url = described(text(), 'Signed: it can be followed without a token, and ends after 15 minutes.');
const type = oneOf(MEDIA_TYPES);
const pixels = whole({ min: 1 });
const facts = {
  width: described(pixels, 'Of an image.'),
  height: described(pixels, 'Of an image.'),
  name: described(text(), 'Of a document.'),
  altText: text(),
};

export const mediaParams = shape({ id: objectId() });

/** What stands in the form beside the file. */
export const mediaFields = shape({ type }, { altText: text({ max: MOST_CHARACTERS, multiline: false }) });

export const linkQuery = shape({ expires: whole({ min: 0, max: 9_999_999_999 }), signature: text({ max: 100 }) });

export const mediaAnswer = named(
  'Media',
  shape(
    {
      id: objectId(),
      type,
      status: oneOf(MEDIA_STATUSES),
      url,
      size: described(whole({ min: 0 }), 'Bytes.'),
      createdAt: instant(),
    },
    { thumbnailUrl: url, ...facts },
  ),
);

/** What something that has it attached keeps of a medium: nothing that ends. */
export const attachmentFacts = shape({ id: objectId(), type }, facts);

export const attachmentAnswer = named(
  'Attachment',
  shape({ id: objectId(), type, url }, { thumbnailUrl: url, ...facts }),
);
