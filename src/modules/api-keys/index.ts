import { type Module, type ModuleContext } from '../../core/module.js';
import { apiKeyCreated, apiKeyRevoked } from './api-key.events.js';
import { apiKeyCollection } from './api-key.model.js';
import { apiKeyRoutes } from './api-key.routes.js';
import { ApiKeyService } from './api-key.service.js';

export { apiKeyCreated, apiKeyRevoked } from './api-key.events.js';

export const apiKeyCollections = [apiKeyCollection];

/** Keys for partner systems. */
export function createApiKeys(context: ModuleContext): Module & { service: ApiKeyService } {
  const service = new ApiKeyService(context);
  return { service, routes: apiKeyRoutes(service), events: [apiKeyCreated, apiKeyRevoked] };
}
