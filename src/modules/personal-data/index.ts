import { type Module, type ModuleContext } from '../../core/module.js';
import { type PersonalData } from '../../core/personal-data.js';
import { type Storage } from '../../core/storage/storage.js';
import { type RequireCode } from '../auth/index.js';
import { type DeletionService } from '../users/index.js';
import { ErasureWorker } from './erasure.worker.js';
import { exportEvents } from './export.events.js';
import { exportCollection } from './export.model.js';
import { exportData } from './export.personal-data.js';
import { exportRoutes } from './export.routes.js';
import { ExportService } from './export.service.js';
import { ExportWorker } from './export.worker.js';

export { ErasureWorker } from './erasure.worker.js';
export { exportReady, exportRequested } from './export.events.js';
export { type ExportWorker } from './export.worker.js';

export const personalDataCollections = [exportCollection];

export interface PersonalDataOptions {
  storage: Storage;
  deletions: DeletionService;
  /** Uses up the code that was mailed for an export. */
  requireCode: RequireCode;
  claimMs: number;
}

/** The part of this module that runs on workers. */
export interface PersonalDataWorkers {
  exports: ExportWorker;
  erasures: ErasureWorker;
  stop(): Promise<void>;
}

/** All that is kept of a user, handed out to them or erased. */
export function createPersonalData(
  { database, outbox, clock, log }: ModuleContext,
  { storage, deletions, requireCode, claimMs }: PersonalDataOptions,
): Module & { startWorkers(contributors: readonly PersonalData[]): PersonalDataWorkers } {
  const exports = new ExportService({ database, outbox, clock, storage, requireCode });
  return {
    routes: exportRoutes(exports),
    events: exportEvents,
    personalData: [exportData({ database, storage })],
    startWorkers(contributors) {
      const exporter = new ExportWorker({ database, outbox, clock, storage, contributors, claimMs, log });
      const erasures = new ErasureWorker({ deletions, contributors, claimMs, log });
      return {
        exports: exporter,
        erasures,
        async stop() {
          await Promise.all([exporter.stop(), erasures.stop()]);
        },
      };
    },
  };
}
