import { allow, type Decision, deny } from '../../core/http/policy.js';
import { type Actor } from '../../core/http/route.js';
import { type Connection } from './connection.model.js';

const isRequester = (actor: Actor, { requesterId }: Connection): boolean => requesterId.toHexString() === actor.id;

/** What either of the two may do with their tie; nobody else is even let to load it. */
export const connectionPolicy = {
  respond: (actor: Actor, connection: Connection): Decision =>
    isRequester(actor, connection) ? deny('OWN_REQUEST', 'The one who was asked answers a request.') : allow(),
  remove: (actor: Actor, connection: Connection): Decision =>
    connection.status === 'requested' && !isRequester(actor, connection)
      ? deny('NOT_YOUR_REQUEST', 'Only the one who asked may withdraw a request; reject it instead.')
      : allow(),
};
