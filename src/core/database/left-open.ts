import { type Binary, type Db } from 'mongodb';

/**
 * Ends the transaction that a process left open when it died: the server would keep its locks for a minute.
 * @param session the server's name for the session that it wrote under
 */
export async function abortLeftOpen(db: Db, session: Binary): Promise<void> {
  try {
    await db.command({ killSessions: [{ id: session }] });
  } catch {
    // Where that is not allowed the server ends the transaction by itself, only later.
  }
}
