import { type Limiter } from '../../core/http/limits.js';
import { type Module, type ModuleContext } from '../../core/module.js';
import { type PhoneCodes } from '../auth/index.js';
import { type NumberPlan } from './phone-number.js';
import { phoneEvents } from './phone.events.js';
import { phoneCollection } from './phone.model.js';
import { phoneData } from './phone.personal-data.js';
import { phoneRoutes } from './phone.routes.js';
import { PhoneService } from './phone.service.js';

export { phoneCodeRequested, phoneConfirmed, phoneRemoved } from './phone.events.js';
export { isCountry, readNumber } from './phone-number.js';
export { type PhoneService } from './phone.service.js';

export const phoneCollections = [phoneCollection];

export interface PhoneOptions {
  limiter: Limiter;
  codes: PhoneCodes;
  plan: NumberPlan;
  /** Whether anything sends SMS. */
  isServed: boolean;
}

/** Phone numbers of users. */
export function createPhones(
  { database, outbox, clock }: ModuleContext,
  options: PhoneOptions,
): Module & { service: PhoneService } {
  const service = new PhoneService({ database, outbox, clock, ...options });
  return {
    service,
    routes: phoneRoutes(service),
    events: phoneEvents,
    personalData: [phoneData({ database })],
  };
}
