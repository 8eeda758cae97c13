import { expect } from 'chai';
import { type Json } from '../support/api.js';
import { type Person } from '../support/campus.js';

/** Whom this person is told they may know. */
export async function suggested(to: Person, query = ''): Promise<Json[]> {
  const { status, body } = await to.get(`/connections/suggestions${query}`);
  expect(status, JSON.stringify(body)).to.equal(200);
  return body.data as Json[];
}

/** The name of each, how many both know, and why. */
export function told(suggestions: Json[]): [string, number, string][] {
  return suggestions.map(({ user, mutualConnections, reason }) => [user.name, mutualConnections, reason]);
}
