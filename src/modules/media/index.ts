import { type Module, type ModuleContext } from '../../core/module.js';
import { type Signer } from '../../core/security/signing.js';
import { type Storage } from '../../core/storage/storage.js';
import { Attachments } from './media.attachments.js';
import { mediaEvents } from './media.events.js';
import { MediaLinks } from './media.links.js';
import { mediaCollection } from './media.model.js';
import { mediaData } from './media.personal-data.js';
import { mediaFileListener } from './media.removal.js';
import { type FindUses, MediaReview } from './media.review.js';
import { mediaRoutes } from './media.routes.js';
import { MediaService } from './media.service.js';

export { type Attachments } from './media.attachments.js';
export { type MediaLinks } from './media.links.js';
export { type MediaType } from './media.model.js';
export { type Attachment, attachmentFactsOf, presentAttachment } from './media.presenter.js';
export { type FindUses, type MediaReview } from './media.review.js';
export { attachmentAnswer, attachmentFacts } from './media.schemas.js';
export { attachmentWords } from './media.words.js';

export const mediaCollections = [mediaCollection];

export interface MediaOptions {
  storage: Storage;
  /** Signs the links to files. */
  signer: Signer;
}

/** Images and documents that users upload, to be attached to what they write. */
export function createMedia(
  { database, outbox, clock }: ModuleContext,
  { storage, signer }: MediaOptions,
): Module & { attachments: Attachments; links: MediaLinks; reviewOf(findUses: FindUses): MediaReview } {
  const links = new MediaLinks({ signer, clock });
  const media = new MediaService({ database, storage, outbox, clock });
  return {
    attachments: new Attachments({ database, clock }),
    links,
    reviewOf: (findUses) => new MediaReview({ database, outbox, clock, findUses }),
    routes: mediaRoutes({ media, links }),
    events: mediaEvents,
    listeners: [mediaFileListener(storage)],
    personalData: [mediaData({ database, storage })],
  };
}
