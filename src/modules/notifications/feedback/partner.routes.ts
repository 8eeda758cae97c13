import { orKeyWith, roles, type Route, route } from '../../../core/http/route.js';
import { type PartnerReports } from './partner-reports.js';
import { deliveryEvents } from './partner.schemas.js';

/** Where systems of partners tell what became of messages. */
export function partnerRoutes(reports: PartnerReports): Route[] {
  return [
    route({
      method: 'post',
      path: '/webhooks/deliveries',
      tag: 'webhooks',
      summary: 'What became of messages that a partner’s system has passed on',
      description:
        'For providers without a webhook of their own here, by whoever speaks to them. Each event counts once, in ' +
        'whatever order they come: what was opened was delivered, and what bounced was not. Complaints, and bounces ' +
        'that say that there is no such address, suppress it. What is about nothing of ours, or more than three days ' +
        'old, changes nothing.',
      access: orKeyWith('deliveries:write', roles('admin')),
      body: deliveryEvents,
      answer: { status: 204 },
      handle: ({ actor, body }) => reports.take(actor.id, body.events),
    }),
  ];
}
