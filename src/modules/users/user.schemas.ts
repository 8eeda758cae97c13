import { email, flag, instant, named, objectId, oneOf, shape, text, whole } from '../../core/http/schema.js';
import { pageQuery } from '../../core/http/paging.js';
import { profileFields } from './profile.schemas.js';
import { LOCALES, ROLES } from './user.model.js';

export const userPatch = named('UserPatch', shape({}, { name: text({ min: 1, max: 80 }), locale: oneOf(LOCALES) }));

const filterText = text({ max: 120, multiline: false });

/** The directory's filters; what is given must all hold. */
export const directoryQuery = shape(pageQuery, {
  q: text({ max: 80, multiline: false }),
  role: oneOf(ROLES),
  campus: filterText,
  department: filterText,
  graduationYear: whole({ min: 1900, max: 2100 }),
  company: filterText,
  skill: filterText,
});

/** As others see a user beside what the user wrote or did. */
export const userSummary = named(
  'UserSummary',
  shape({ id: objectId(), name: text(), role: oneOf(ROLES) }, { headline: text(), avatarUrl: text() }),
);

/** A profile that the viewer may not view: who it is, and no more. */
export const limitedAnswer = named(
  'LimitedProfile',
  shape({ id: objectId(), name: text(), role: oneOf(ROLES) }, { avatarUrl: text() }),
);

/** A profile; the e-mail address only to oneself and admins. */
export const userAnswer = named(
  'User',
  shape(
    { id: objectId(), name: text(), role: oneOf(ROLES), locale: oneOf(LOCALES), createdAt: instant() },
    {
      ...profileFields,
      avatarUrl: text(),
      bannerUrl: text(),
      email: email(),
      emailVerified: flag(),
      suspendedUntil: instant(),
    },
  ),
);
