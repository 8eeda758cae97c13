import { type Collection } from 'mongodb';
import { type Database } from '../../core/database/database.js';
import { type Ties } from '../privacy/index.js';
import { type Connection, connectionCollection } from './connection.model.js';
import { pairOf } from './connection.service.js';

/** Who is connected with whom, for those who decide by it. */
export class ConnectionTies implements Ties {
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
}
