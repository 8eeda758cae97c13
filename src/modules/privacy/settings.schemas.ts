import { described, flag, list, named, objectId, oneOf, shape } from '../../core/http/schema.js';
import { defineEvent } from '../../core/events/event.js';
import { AUDIENCES, SETTINGS } from './settings.model.js';

const audience = oneOf(AUDIENCES);

const settings = {
  message: described(audience, 'Who may write to one.'),
  call: described(audience, 'Who may call one.'),
  viewProfile: described(audience, 'Who sees more of one’s profile than name and role.'),
  viewActivity: described(audience, 'Who sees the list of what one has posted, and when one is online.'),
  addToGroup: described(audience, 'Who may add one to a group conversation.'),
  showPhoto: described(flag(), 'Whether others see one’s picture.'),
  showActivityStatus: described(flag(), 'Whether anyone else sees when one is online.'),
};

export const privacyAnswer = named('PrivacySettings', shape(settings));

/** What is named changes and nothing else. */
export const privacyPatch = named('PrivacyPatch', shape({}, settings));

/** Carries the settings as they now are, for whoever decides by them. */
export const privacyChanged = defineEvent(
  'privacy.changed',
  shape({ userId: objectId(), changed: list(oneOf(SETTINGS)), settings: privacyAnswer }),
);
