import { FORM_TYPE } from '../../../core/http/input.js';
import { badRequest } from '../../../core/http/problem.js';
import { readRaw } from '../../../core/http/raw-body.js';
import { anyone, type Route, route } from '../../../core/http/route.js';
import { described, shape, text } from '../../../core/http/schema.js';
import { FORM } from '../../../core/http/upload.js';
import { unsubscribePage } from './unsubscribe-page.js';
import { type UnsubscribeService } from './unsubscribe.service.js';

export interface UnsubscribeRouteDeps {
  unsubscribing: UnsubscribeService;
  publicUrl: string;
}

const MOST_BYTES = 10_000;
/** The same in either kind of form. */
const ONE_CLICK = /List-Unsubscribe[^]*One-Click/;

const common = {
  path: '/unsubscribe',
  tag: 'notifications',
  access: anyone,
  query: shape({ token: described(text({ max: 200, multiline: false }), 'From the link in a mail.') }),
  // Mail programs post in the name of many from few addresses.
  limits: [{ name: 'unsubscribe', points: 100, seconds: 60 }],
  answer: { status: 200, contentType: 'text/html; charset=utf-8' },
} as const;
const problems = ['UNSUBSCRIBE_LINK_INVALID'];

/** One-click unsubscribing (RFC 8058): without signing in, by the link in the header of a mail. */
export function unsubscribeRoutes({ unsubscribing, publicUrl }: UnsubscribeRouteDeps): Route[] {
  return [
    route({
      ...common,
      method: 'get',
      summary: 'Asks whether to stop e-mails of a kind; changes nothing by itself',
      problems,
      handle: async ({ query }) => unsubscribePage('ask', { ...(await unsubscribing.look(query.token)), publicUrl }),
    }),
    route({
      ...common,
      method: 'post',
      summary: 'Stops e-mails of a kind, as mail programs do with one click',
      description:
        'The form has `List-Unsubscribe` with `One-Click`, in either of its encodings. E-mail of the link’s category ' +
        'is switched off, as in the settings, where it can be switched on again.',
      upload: [FORM_TYPE, FORM],
      problems: [...problems, 'NOT_ONE_CLICK'],
      async handle({ query, request, response }) {
        const form = await readRaw(request, response, MOST_BYTES);
        if (!ONE_CLICK.test(form.toString('utf8'))) {
          throw badRequest('NOT_ONE_CLICK', 'The form must have List-Unsubscribe with One-Click.');
        }
        return unsubscribePage('done', { ...(await unsubscribing.stop(query.token)), publicUrl });
      },
    }),
  ];
}
