import { type Route } from '../../../core/http/route.js';
import { type ModuleContext } from '../../../core/module.js';
import { type PhoneService } from '../../phones/index.js';
import { type UserService } from '../../users/index.js';
import { type SuppressionService } from '../suppressions/suppression.service.js';
import { feedbackRoutes } from './feedback.routes.js';
import { FeedbackService } from './feedback.service.js';
import { MailReports } from './mail-reports.js';
import { PartnerReports } from './partner-reports.js';
import { partnerRoutes } from './partner.routes.js';
import { PhoneReplies } from './phone-replies.js';
import { sendGridSignatures } from './sendgrid-signature.js';
import { twilioRoutes } from './twilio.routes.js';
import { twilioSignatures } from './twilio-signature.js';

export interface FeedbackOptions {
  users: UserService;
  phones: PhoneService;
  suppressions: SuppressionService;
  publicUrl: string;
  /** The domain of message ids. */
  host: string;
  /** What SendGrid's webhook is signed with; absent where it is closed. */
  sendGridWebhookKey: string | undefined;
  /** What Twilio signs with; absent where SMS are not sent by it. */
  twilioToken: string | undefined;
}

/** Where those who take messages from us tell what became of them. */
export function feedbackFromProviders({ database, outbox, clock }: ModuleContext, options: FeedbackOptions): Route[] {
  const { users, phones, suppressions, publicUrl, host, sendGridWebhookKey: key, twilioToken: token } = options;
  const feedback = new FeedbackService({ database, outbox, clock, suppressions });
  const reports = new MailReports({ database, clock, users, feedback, host });
  const partners = new PartnerReports({ database, clock, users, phones, feedback, host });
  const replies = new PhoneReplies({ database, clock, phones, suppressions });
  const isFromSendGrid = key === undefined ? undefined : sendGridSignatures(key);
  const isFromTwilio = token === undefined ? undefined : twilioSignatures(token, publicUrl);
  return [
    ...feedbackRoutes({ feedback, reports, clock, isFromSendGrid }),
    ...partnerRoutes(partners),
    ...twilioRoutes({ feedback, replies, clock, isFromTwilio }),
  ];
}
