import { Random } from '../../random.js';
import { Client } from '../client.js';
import { emptyLedger, type PersonLedger } from '../ledger.js';

/** Reads as one person what the server holds, whatever it takes. */
export class Reader {
  private readonly client: Client;

  constructor({ id, email, password }: PersonLedger, urls: readonly string[]) {
    this.client = new Client({ urls, account: { id, email, password }, random: new Random(1), ledger: emptyLedger() });
  }

  /** @throws Error where it cannot be read */
  async get<T>(path: string): Promise<T> {
    if (this.client.accessToken === '') await this.client.signIn();
    const outcome = await this.client.call<T>({ action: 'verify', method: 'GET', path });
    if (outcome.fate !== 'done') throw new Error(`${path} cannot be read: ${JSON.stringify(outcome)}`);
    return outcome.body;
  }

  /** A whole list, page by page. */
  async all<T>(path: string): Promise<T[]> {
    const found: T[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query = `${path.includes('?') ? '&' : '?'}limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const page: { data: T[]; nextCursor: string | null } = await this.get(`${path}${query}`);
      found.push(...page.data);
      cursor = page.nextCursor;
    }
    return found;
  }
}
