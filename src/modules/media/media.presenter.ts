import { type Infer } from '../../core/http/schema.js';
import { type MediaLinks } from './media.links.js';
import { type Media } from './media.model.js';
import { type attachmentAnswer, type attachmentFacts, type mediaAnswer } from './media.schemas.js';

export type AttachmentFacts = Infer<typeof attachmentFacts>;
export type AttachmentAnswer = Infer<typeof attachmentAnswer>;

/** What is kept where it is attached, so that showing that asks for nothing. */
export type Attachment = Pick<Media, 'type' | 'width' | 'height' | 'name' | 'altText'> & { id: Media['_id'] };

export function asAttachment({ _id, ...media }: Media): Attachment {
  return { id: _id, type: media.type, ...facts(media) };
}

/** As events tell of it. */
export function attachmentFactsOf({ id, type, ...rest }: Attachment): AttachmentFacts {
  return { id: id.toHexString(), type, ...facts(rest) };
}

/** As it is shown, with links that are made for that. */
export function presentAttachment({ id, type, ...rest }: AttachmentFacts, links: MediaLinks): AttachmentAnswer {
  return { id, type, ...linksOf({ id, type }, links), ...facts(rest) };
}

/** As its owner sees it. */
export function presentMedia({ _id, ...media }: Media, links: MediaLinks): Infer<typeof mediaAnswer> {
  const id = _id.toHexString();
  const { type, status, size, createdAt } = media;
  return { id, type, status, ...linksOf({ id, type }, links), size, createdAt, ...facts(media) };
}

function linksOf({ id, type }: Pick<AttachmentFacts, 'id' | 'type'>, links: MediaLinks) {
  return { url: links.to(id, 'file'), ...(type === 'IMAGE' && { thumbnailUrl: links.to(id, 'thumbnail') }) };
}

function facts({ width, height, name, altText }: Partial<Pick<Media, 'width' | 'height' | 'name' | 'altText'>>) {
  return {
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(name !== undefined && { name }),
    ...(altText !== undefined && { altText }),
  };
}
