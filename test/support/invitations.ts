import { type Answer, type Json } from './api.js';
import { type Person } from './campus.js';

/** Makes a link into a group, and answers with it and its token. */
export async function invite(person: Person, conversationId: string, choices: object = {}): Promise<Json> {
  const { status, body } = await person.post(`/conversations/${conversationId}/invitations`, choices);
  if (status !== 201) throw new Error(`no invitation was made: ${JSON.stringify(body)}`);
  return body;
}

/** Looks where a link leads. */
export function preview(person: Person, token: string): Promise<Answer<Json>> {
  return person.get(`/invitations/${token}`);
}

/** Follows a link. */
export function follow(person: Person, token: string): Promise<Answer<Json>> {
  return person.post(`/invitations/${token}/join`);
}

/** Follows a link that may be followed, and answers with how one stands to the group then. */
export async function standingAfter(person: Person, token: string): Promise<string> {
  const { status, body } = await follow(person, token);
  if (status !== 200) throw new Error(`a link was not followed: ${JSON.stringify(body)}`);
  return body.standing as string;
}
