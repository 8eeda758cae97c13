import { type Collection, ObjectId } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Connections } from '../../core/visibility.js';
import { type Ties } from '../privacy/index.js';
import { type Connection, connectionCollection } from './connection.model.js';
import { counterpartOf, pairOf } from './connection.service.js';

/** Who is connected with whom, for those who decide by it. */
export class ConnectionTies implements Ties, Connections {
  private readonly connections: Collection<Connection>;

  constructor({ database }: { database: Database }) {
    this.connections = database.collection(connectionCollection.name);
  }

  async areConnected(oneId: string, otherId: string): Promise<boolean> {
    const found = await this.connections.findOne(
      { ...pairOf(oneId, otherId), status: 'accepted' },
      { projection: { _id: 1 } },
    );
    return found !== null;
  }

  async connectedWith(userId: string): Promise<string[]> {
    const own = new ObjectId(userId);
    const status = 'accepted' as const;
    const sides = {
      $or: [
        { low: own, status },
        { high: own, status },
      ],
    };
    const found = await this.connections.find(sides, { projection: { _id: 0, low: 1, high: 1 } }).toArray();
    return found.map((connection) => counterpartOf(connection, userId));
  }
}
