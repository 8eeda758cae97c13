import { type Module, type ModuleContext } from '../../core/module.js';
import { auditListener } from './audit.listener.js';
import { auditCollection, auditOriginCollection } from './audit.model.js';
import { auditData } from './audit.personal-data.js';
import { auditRoutes } from './audit.routes.js';

export const auditCollections = [auditCollection, auditOriginCollection];

/** Who did what to whose account, when and from where: recorded for good, and only ever read. */
export function createAudit(context: ModuleContext): Module {
  return {
    routes: auditRoutes(context),
    listeners: [auditListener(context.database)],
    events: [],
    personalData: [auditData(context)],
  };
}
