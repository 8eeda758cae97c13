import { defineEvent } from '../../core/events/event.js';
import { anyOf, described, instant, list, named, objectId, oneOf, shape, text } from '../../core/http/schema.js';
import { userSummary } from '../users/index.js';
import { REPORT_CATEGORIES, REPORT_OUTCOMES, REPORT_STATUSES, REPORTED_KINDS } from './report.model.js';

const category = oneOf(REPORT_CATEGORIES);
const details = text({ max: 2_000 });

/** Exactly one of what can be reported. */
export const reportBody = named(
  'NewReport',
  anyOf([
    shape({ userId: objectId(), category }, { details }),
    shape({ postId: objectId(), category }, { details }),
    shape({ commentId: objectId(), category }, { details }),
    shape({ messageId: objectId(), category }, { details }),
  ]),
);

const own = {
  id: objectId(),
  target: shape({ kind: oneOf(REPORTED_KINDS), id: objectId() }, { postId: objectId(), conversationId: objectId() }),
  category,
  status: oneOf(REPORT_STATUSES),
  createdAt: instant(),
};

/** As its reporter sees it. */
export const reportAnswer = named('Report', shape(own, { details }));

/** What a reported message says, and what it has said: shown to moderators alone, and only where it was reported. */
const attachments = described(
  list(shape({ type: text() }, { name: text(), altText: text() })),
  'What it has attached, or had: not the files, which are gone a day after it was deleted.',
);
const reportedMessage = named(
  'ReportedMessage',
  shape(
    {
      body: described(text({ min: 0 }), 'Empty where it was deleted.'),
      createdAt: instant(),
      edits: described(
        list(shape({ body: text({ min: 0 }), at: instant() }, { attachments })),
        'What it said before, and until when: the last fifty.',
      ),
    },
    { attachments, editedAt: instant(), deletedAt: instant() },
  ),
);

/** As moderators see it: also who reported whom, and who has dealt with it. */
export const reportCaseAnswer = named(
  'ReportCase',
  shape(
    { ...own, reporter: userSummary, user: userSummary },
    { details, message: reportedMessage, handledBy: userSummary, handledAt: instant() },
  ),
);

export const reportParams = shape({ reportId: objectId() });

const facts = {
  reportId: objectId(),
  reporterId: objectId(),
  userId: objectId(),
  kind: oneOf(REPORTED_KINDS),
  targetId: objectId(),
  category,
};
export const reportCreated = defineEvent('report.created', shape(facts));

/** A moderator has dealt with a report. */
export const reportClosed = defineEvent('report.closed', shape({ ...facts, outcome: oneOf(REPORT_OUTCOMES) }), {
  traced: true,
});
