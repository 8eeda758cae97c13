import { email, instant, named, objectId, oneOf, shape, text } from '../../core/http/schema.js';
import { LOCALES, ROLES } from './user.model.js';

const about = shape({}, { en: text({ max: 2_600 }), ar: text({ max: 2_600 }) });

export const profilePatch = named(
  'ProfilePatch',
  shape({}, { headline: text({ max: 220 }), about, location: text({ max: 120 }) }),
);

export const userPatch = named('UserPatch', shape({}, { name: text({ min: 1, max: 80 }), locale: oneOf(LOCALES) }));

/** As others see a user beside what the user wrote or did. */
export const userSummary = named(
  'UserSummary',
  shape({ id: objectId(), name: text(), role: oneOf(ROLES) }, { headline: text() }),
);

/** A profile; the e-mail address only to oneself and admins. */
export const userAnswer = named(
  'User',
  shape(
    { id: objectId(), name: text(), role: oneOf(ROLES), locale: oneOf(LOCALES), createdAt: instant() },
    { headline: text(), about, location: text(), email: email() },
  ),
);
