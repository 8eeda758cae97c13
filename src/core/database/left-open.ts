import { type Binary, type Db } from 'mongodb';

/**
 * Ends the transaction that a process left open when it died: the server would keep its locks for a minute.
 * @param session the server's name for the session that it wrote under
 * @returns whether it was ended: where that is not allowed the server does so by itself, only later
 */
export async function abortLeftOpen(db: Db, session: Binary): Promise<boolean> {
  return db.command({ killSessions: [{ id: session }] }).then(
    () => true,
    () => false,
  );
}
