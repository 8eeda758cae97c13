import { type Collection } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Connections } from '../../core/visibility.js';
import { type Ties } from '../privacy/index.js';
import { Circles } from './circles.js';
import { type Connection, connectionCollection } from './connection.model.js';
import { pairOf } from './connection.service.js';

/** Who is connected with whom, for those who decide by it. */
export class ConnectionTies implements Ties, Connections {
  private readonly connections: Collection<Connection>;
  private readonly circles: Circles;

  constructor({ database }: { database: Database }) {
    this.connections = database.collection(connectionCollection.name);
    this.circles = new Circles({ database });
  }

  async areConnected(oneId: string, otherId: string): Promise<boolean> {
    const found = await this.connections.findOne(
      { ...pairOf(oneId, otherId), status: 'accepted' },
      { projection: { _id: 1 } },
    );
    return found !== null;
  }

  connectedWith(userId: string): Promise<string[]> {
    return this.circles.of(userId);
  }
}
