import { pageOf, pageQuery } from '../../core/http/paging.js';
import { type Route, route, signedIn } from '../../core/http/route.js';
import { instant, named, objectId, shape } from '../../core/http/schema.js';
import { userSummary, type UserService, type UserSummary } from '../users/index.js';
import { type BlockList } from './block-list.js';
import { type Block } from './block.model.js';
import { type BlockService } from './block.service.js';

export interface BlockRouteDeps {
  blocks: BlockService;
  blockList: BlockList;
  users: UserService;
}

const tag = 'privacy';
const params = shape({ userId: objectId() });
const blockAnswer = named('Block', shape({ id: objectId(), user: userSummary, createdAt: instant() }));

export function blockRoutes({ blocks, blockList, users }: BlockRouteDeps): Route[] {
  /** Who is hidden by a block of theirs must not be found by trying to block them. */
  const find = async (actorId: string, userId: string) => {
    const hidden = await blockList.areHidden(actorId, userId);
    return hidden && !(await blocks.hasBlocked(actorId, userId)) ? undefined : users.find(userId);
  };
  return [
    route({
      method: 'post',
      path: '/users/:userId/block',
      tag,
      summary: 'Blocks a user, who is not told; neither appears to the other any more',
      access: signedIn,
      params,
      limits: [{ name: 'blocks', points: 10, seconds: 86_400 }],
      idempotent: true,
      load: ({ actor, params: { userId } }) => find(actor.id, userId),
      missing: 'USER_NOT_FOUND',
      problems: ['CANNOT_BLOCK_YOURSELF'],
      answer: { status: 201, body: blockAnswer },
      handle: ({ actor, params: { userId } }) => blocks.block(actor.id, userId),
      present: async (block) => present(block, await users.summaries([block.blockedId.toHexString()])),
    }),
    route({
      method: 'delete',
      path: '/users/:userId/block',
      tag,
      summary: 'Unblocks a user; what the block has ended stays ended',
      access: signedIn,
      params,
      answer: { status: 204 },
      handle: ({ actor, params: { userId } }) => blocks.unblock(actor.id, userId),
    }),
    route({
      method: 'get',
      path: '/users/blocked',
      tag,
      summary: 'Whom one has blocked, newest first',
      access: signedIn,
      query: shape(pageQuery),
      answer: { status: 200, body: pageOf(blockAnswer) },
      handle: ({ actor, query }) => blocks.list(actor.id, query),
      present: async ({ data, nextCursor }) => {
        const people = await users.summaries(data.map(({ blockedId }) => blockedId.toHexString()));
        return { data: data.map((block) => present(block, people)), nextCursor };
      },
    }),
  ];
}

function present({ _id, blockedId, createdAt }: Block, people: Map<string, UserSummary>) {
  const id = blockedId.toHexString();
  return {
    id: _id.toHexString(),
    user: people.get(id) ?? { id, name: 'Deleted user', role: 'student' as const },
    createdAt,
  };
}
