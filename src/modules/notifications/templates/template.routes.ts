import { roles, type Route, route } from '../../../core/http/route.js';
import { described, list, named, oneOf, shape, text, withDefault } from '../../../core/http/schema.js';
import { LOCALES } from '../../users/index.js';
import { CHANNELS } from '../notification.types.js';
import { SECURITY_OCCASIONS } from '../security-texts.js';
import { type Previews, TEMPLATE_NAMES, templateList } from './previews.js';
import { REACTED_TO } from './samples.js';

const template = shape(
  { type: oneOf(TEMPLATE_NAMES), channel: oneOf(CHANNELS), locales: list(oneOf(LOCALES)) },
  {
    occasions: described(list(oneOf(SECURITY_OCCASIONS)), 'What a notification of this type may be about.'),
    reactedTo: described(list(oneOf(REACTED_TO)), 'What a reaction may be to.'),
  },
);

const preview = named(
  'TemplatePreview',
  shape(
    {},
    {
      subject: described(text(), 'Of an e-mail.'),
      text: described(text(), 'Of an e-mail or an SMS.'),
      html: described(
        text(),
        'As it is sent. It is made of samples, which try what may go wrong; show it in a sandbox.',
      ),
      title: described(text(), 'In the app and of a push.'),
      body: text({ min: 0 }),
    },
  ),
);

const tag = 'templates';
const access = roles('admin');

/** How notifications look, for those who write them. */
export function templateRoutes(previews: Previews): Route[] {
  return [
    route({
      method: 'get',
      path: '/admin/templates',
      tag,
      summary: 'Which templates there are: per type of notification and channel, in which languages',
      access,
      answer: { status: 200, body: named('Templates', shape({ data: list(template) })) },
      handle: () => Promise.resolve({ data: templateList() }),
    }),
    route({
      method: 'get',
      path: '/admin/templates/preview',
      tag,
      summary: 'A notification of a type as it would look on a channel',
      description:
        'An e-mail has a subject, a text and HTML; an SMS a text; anything else a title and a body. Nothing is sent.',
      access,
      query: shape({
        type: described(oneOf(TEMPLATE_NAMES), '`DIGEST` is the mail that gathers several; it has no other channel.'),
        channel: oneOf(CHANNELS),
        locale: oneOf(LOCALES),
        occasion: withDefault(described(oneOf(SECURITY_OCCASIONS), 'Of `SECURITY` alone.'), 'newSignIn'),
        reactedTo: withDefault(described(oneOf(REACTED_TO), 'Of `REACTION` alone.'), 'post'),
      }),
      problems: ['TEMPLATE_NOT_FOUND'],
      answer: { status: 200, body: preview },
      handle: ({ query }) => Promise.resolve().then(() => previews.show(query)),
    }),
  ];
}
