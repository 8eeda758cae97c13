import { type Db } from 'mongodb';

/**
 * Refuses a server that is no member of a replica set of MongoDB 7.0 or newer.
 * @throws Error saying what is wrong and what to do
 */
export async function refuseStandalone(db: Db): Promise<void> {
  const hello = await db.admin().command({ hello: 1 });
  if (typeof hello['setName'] !== 'string') {
    throw new Error(
      'MONGODB_URI names a standalone server. Atrium needs a replica set (one member is enough), because change ' +
        'streams and transactions exist only there: start mongod with --replSet and run rs.initiate() once.',
    );
  }
  const { version } = await db.admin().serverInfo();
  if (Number.parseInt(String(version), 10) < 7) {
    throw new Error(`MONGODB_URI names MongoDB ${String(version)}. Atrium needs 7.0 or newer.`);
  }
}
