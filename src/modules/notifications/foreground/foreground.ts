import { ObjectId } from 'mongodb';
import { NodeMarks, type NodeMarksDeps } from '../../../core/realtime/node-marks.js';
import { type ForegroundUser, foregroundUsers } from './foreground.model.js';

/** Who has the app before their eyes, on whatever node. */
export class Foreground extends NodeMarks<ForegroundUser> {
  constructor(deps: NodeMarksDeps) {
    super(foregroundUsers, deps);
  }

  /** Notes that the app behind a socket is before its user's eyes, or is not; resolves once others can see that. */
  set(userId: string, socketId: string, isForeground: boolean): Promise<void> {
    return this.mark(userId, socketId, isForeground);
  }

  /** The socket has ended. */
  ended(userId: string, socketId: string): void {
    this.unmark(userId, socketId);
  }

  /** Which of these users have the app before their eyes: one query, however many they are. */
  async among(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    if (userIds.length === 0) return new Set();
    const found = await this.alive({ userId: { $in: userIds.map((id) => new ObjectId(id)) } });
    return new Set(found.map(({ userId }) => userId.toHexString()));
  }

  protected override fieldsOf(userId: string) {
    return { userId: new ObjectId(userId) };
  }
}
