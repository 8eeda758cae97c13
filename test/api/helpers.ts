import { expect } from 'chai';
import { ObjectId } from 'mongodb';
import { type Answer, type Api, type Json, type NewPerson } from '../support/api.js';
import { type Campus, type Person } from '../support/campus.js';

/** An id that nothing has. */
export const NOBODY = 'f'.repeat(24);

/** Holds an answer against the problem document that it should be. */
export function expectProblem({ status, headers, body }: Answer<Json>, expectedStatus: number, code: string): void {
  expect({ status, code: body.code }, JSON.stringify(body)).to.deep.equal({ status: expectedStatus, code });
  expect(headers.get('content-type')).to.match(/^application\/problem\+json/);
  expect(body.requestId).to.equal(headers.get('x-request-id'));
}

/** Holds an answer against a refused input that names these fields. */
export function expectInvalid(answer: Answer<Json>, ...paths: string[]): void {
  expectProblem(answer, 400, 'VALIDATION_FAILED');
  expect(answer.body.errors.map(({ path }: { path: string }) => path)).to.have.members(paths);
}

/** Reads a list to its end, page by page. */
export async function allPages(
  reader: Person,
  path: string,
  { limit, between }: { limit: number; between?: () => Promise<unknown> },
): Promise<Json[]> {
  const items: Json[] = [];
  let cursor: string | null = null;
  do {
    const address = `${path}${path.includes('?') ? '&' : '?'}limit=${limit}`;
    const { status, body } = await reader.get(cursor === null ? address : `${address}&cursor=${cursor}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    expect(body.data.length).to.be.at.most(limit);
    items.push(...body.data);
    cursor = body.nextCursor;
    if (cursor !== null) await between?.();
  } while (cursor !== null);
  return items;
}

/** The ids of the items of a list. */
export function idsOf(items: Json[]): string[] {
  return items.map(({ id }) => id as string);
}

/** Someone with a role that nobody can register with. */
export async function registerAs(campus: Campus, api: Api, role: string, choices: NewPerson = {}): Promise<Person> {
  const person = await api.register(choices);
  // Before the first request with the token, so that every node reads the role as it now is.
  await campus.db.collection('users').updateOne({ _id: new ObjectId(person.id) }, { $set: { role } });
  return person;
}
