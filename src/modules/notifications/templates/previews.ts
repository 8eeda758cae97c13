import { notFound } from '../../../core/http/problem.js';
import { LOCALES, type Locale } from '../../users/index.js';
import { type EmailContext, renderEmail } from '../delivery/email-content.js';
import { renderSms } from '../delivery/sms-content.js';
import { renderDigest } from '../digests/digest-content.js';
import { type Channel, CHANNELS, NOTIFICATION_TYPE_NAMES, NOTIFICATION_TYPES } from '../notification.types.js';
import { SECURITY_OCCASIONS, type SecurityOccasion } from '../security-texts.js';
import { headline } from './headline.js';
import { REACTED_TO, type ReactedTo, SAMPLE_ID, sampleContact, sampleNotification } from './samples.js';

/** Every kind of notification, and the mail that gathers several. */
export const TEMPLATE_NAMES = [...NOTIFICATION_TYPE_NAMES, 'DIGEST'] as const;
export type TemplateName = (typeof TEMPLATE_NAMES)[number];

export interface PreviewChoice {
  type: TemplateName;
  channel: Channel;
  locale: Locale;
  occasion: SecurityOccasion;
  reactedTo: ReactedTo;
}

export type Preview =
  { subject: string; text: string; html: string } | { text: string } | { title: string; body: string };

/** What concerns security waits for no digest. */
const GATHERED = NOTIFICATION_TYPE_NAMES.filter((type) => NOTIFICATION_TYPES[type].category !== 'security');
const MORE_IN_DIGEST = 11;

/** What there are templates for. */
export function templateList() {
  return TEMPLATE_NAMES.flatMap((type) =>
    channelsOf(type).map((channel) => ({
      ...{ type, channel, locales: LOCALES },
      ...(type === 'SECURITY' && { occasions: SECURITY_OCCASIONS }),
      ...(type === 'REACTION' && { reactedTo: REACTED_TO }),
    })),
  );
}

function channelsOf(type: TemplateName): readonly Channel[] {
  return type === 'DIGEST' ? ['email'] : CHANNELS;
}

/** Shows notifications as they would look, made of samples by what sends the real ones; no code or link in it works. */
export class Previews {
  private readonly context: EmailContext;

  constructor({ publicUrl, host }: Pick<EmailContext, 'publicUrl' | 'host'>) {
    this.context = {
      ...{ publicUrl, host },
      links: { linkFor: () => new URL('/api/v1/unsubscribe', publicUrl).href },
      mailSecrets: {
        completeLink: (deepLink) => deepLink,
        revealCode: ({ kind }) => (kind === 'mailedCode' ? '123456' : undefined),
      },
    };
  }

  /** @throws Problem 404 `TEMPLATE_NOT_FOUND` for what is not told on that channel */
  show({ type, channel, locale, occasion, reactedTo }: PreviewChoice): Preview {
    if (!channelsOf(type).includes(channel)) {
      throw notFound('TEMPLATE_NOT_FOUND', `${type} is not told on the channel ${channel}.`);
    }
    if (type === 'DIGEST') return this.digest(locale);
    const sample = sampleNotification(type, locale, { occasion, reactedTo });
    if (channel === 'email') return mailOf(renderEmail(sample, sampleContact(locale), this.context));
    if (channel === 'sms') return { text: renderSms(sample, '', this.context).text };
    const { title, body } = sample;
    return { title: channel === 'inApp' ? title : headline(title), body };
  }

  private digest(locale: Locale): Preview {
    const shown = GATHERED.map((type) =>
      sampleNotification(type, locale, { occasion: 'newSignIn', reactedTo: 'post' }),
    );
    return mailOf(
      renderDigest(
        { _id: SAMPLE_ID, userId: SAMPLE_ID },
        sampleContact(locale),
        { shown, more: MORE_IN_DIGEST },
        this.context,
      ),
    );
  }
}

function mailOf({ subject, text, html }: { subject: string; text: string; html: string }): Preview {
  return { subject, text, html };
}
