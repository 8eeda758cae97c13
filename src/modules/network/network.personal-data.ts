import { ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { exportedList, type PersonalData } from '../../core/personal-data.js';
import { type UserService } from '../users/index.js';
import { circleCollection } from './circle.model.js';
import { type Circles } from './circles.js';
import { type Connection, connectionCollection } from './connection.model.js';
import { type ConnectionService, counterpartOf } from './connection.service.js';
import { type Follow, followCollection } from './follow.model.js';
import { type FollowService } from './follow.service.js';
import { type Dismissal, dismissalCollection } from './suggestion.model.js';

export interface NetworkDataDeps {
  database: Database;
  users: UserService;
  connections: ConnectionService;
  circles: Circles;
  follows: FollowService;
}

/** Connections, requests and follows, in either direction, and who is not to be suggested. */
export function networkData({ database, users, connections, circles, follows }: NetworkDataDeps): PersonalData {
  const ties = database.collection<Connection>(connectionCollection.name);
  const follow = database.collection<Follow>(followCollection.name);
  const dismissals = database.collection<Dismissal>(dismissalCollection.name);
  return {
    name: 'network',
    // Circles say what connections say.
    collections: [connectionCollection.name, circleCollection.name, followCollection.name, dismissalCollection.name],
    async *export(userId) {
      const own = new ObjectId(userId);
      const connected = await ties.find({ $or: [{ low: own }, { high: own }] }).toArray();
      const following = await follow.find({ followerId: own }).toArray();
      const followers = await follow.find({ kind: 'user', target: userId }).toArray();
      const dismissed = await dismissals.find({ userId: own }).toArray();
      const people = await users.summaries([
        ...dismissed.map(({ dismissedId }) => dismissedId.toHexString()),
        ...connected.map((connection) => counterpartOf(connection, userId)),
        ...following.flatMap(({ kind, target }) => (kind === 'user' ? [target] : [])),
        ...followers.map(({ followerId }) => followerId.toHexString()),
      ]);
      const person = (id: string) => ({ id, name: people.get(id)?.name ?? 'Deleted user' });
      yield* exportedList('connections', connected, (connection) => ({
        user: person(counterpartOf(connection, userId)),
        status: connection.status,
        direction: connection.requesterId.equals(own) ? 'out' : 'in',
        // What the other one wrote is theirs.
        ...(connection.requesterId.equals(own) && connection.note !== undefined && { note: connection.note }),
        createdAt: connection.createdAt,
        changedAt: connection.changedAt,
      }));
      yield* exportedList('following', following, ({ kind, target, createdAt }) => ({
        ...(kind === 'user' ? { user: person(target) } : { hashtag: target }),
        createdAt,
      }));
      yield* exportedList('dismissed-suggestions', dismissed, ({ dismissedId, createdAt }) => ({
        user: person(dismissedId.toHexString()),
        createdAt,
      }));
      yield* exportedList('followers', followers, ({ followerId, createdAt }) => ({
        user: person(followerId.toHexString()),
        createdAt,
      }));
    },
    async erase(userId) {
      await connections.endAll(userId);
      await circles.erase(userId);
      await follows.endAll(userId);
      const own = new ObjectId(userId);
      await dismissals.deleteMany({ $or: [{ userId: own }, { dismissedId: own }] });
    },
  };
}
