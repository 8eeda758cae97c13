import { type Module, type ModuleContext } from '../../core/module.js';
import { reportCollection } from './report.model.js';
import { reportData } from './report.personal-data.js';
import { reportRoutes } from './report.routes.js';
import { reportClosed, reportCreated } from './report.schemas.js';
import { ReportService } from './report.service.js';
import { type TargetDeps, targetFinder } from './report.targets.js';

export { reportClosed, reportCreated } from './report.schemas.js';

export const reportCollections = [reportCollection];

/** Reports to the moderators. */
export function createReports({ database, outbox, pager, clock }: ModuleContext, targets: TargetDeps): Module {
  const reports = new ReportService({ database, outbox, pager, clock });
  return {
    routes: reportRoutes({
      reports,
      findTarget: targetFinder(targets),
      users: targets.users,
      messages: targets.messages,
    }),
    events: [reportCreated, reportClosed],
    personalData: [reportData({ database })],
  };
}
