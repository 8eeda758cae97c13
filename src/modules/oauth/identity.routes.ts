import { type Route, route, signedIn } from '../../core/http/route.js';
import { type Identities } from './identities.js';
import { type IdentityService } from './identity.service.js';
import { identitiesAnswer, providerParams } from './oauth.schemas.js';

const tag = 'auth';

/** One's accounts elsewhere that sign in to one's own. */
export function identityRoutes({ identities, service }: { identities: Identities; service: IdentityService }): Route[] {
  return [
    route({
      method: 'get',
      path: '/auth/identities',
      tag,
      summary: 'The providers’ accounts that one can sign in with',
      access: signedIn,
      answer: { status: 200, body: identitiesAnswer },
      handle: ({ actor }) => identities.list(actor.id),
      present: (list) => ({
        data: list.map(({ provider, email, linkedAt }) => ({
          provider,
          ...(email !== undefined && { email }),
          linkedAt,
        })),
      }),
    }),
    route({
      method: 'delete',
      path: '/auth/identities/:provider',
      tag,
      summary: 'Lets a provider’s account sign in no more, unless nothing else would',
      access: signedIn,
      params: providerParams,
      problems: ['IDENTITY_NOT_FOUND', 'LAST_SIGN_IN_METHOD'],
      answer: { status: 204 },
      handle: ({ actor, params }) => service.unlink(actor.id, params.provider),
    }),
  ];
}
