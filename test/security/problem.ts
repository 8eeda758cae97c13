import { expect } from 'chai';
import { type Answer, type Json } from '../support/api.js';

/** What must never be told: where the code is, and what the database or another library said. */
const TELLTALE = /node_modules|\.[tj]s:\d|\bat .+ \(|Mongo|E11000|BSON|CastError|ValidationError|ECONN|TypeError|argon/;

/** Holds an answer to RFC 9457 as this API has it; answers with its code. */
export function expectProblem(answer: Answer<Json>, status: number | readonly number[], what: string): string {
  const { body, headers } = answer;
  expect(answer.status, `${what}: ${JSON.stringify(body)}`).to.be.oneOf(typeof status === 'number' ? [status] : status);
  expect(headers.get('content-type'), what).to.match(/^application\/problem\+json/);
  expect(Object.keys(body), what).to.include.members(['type', 'title', 'status', 'code', 'detail', 'requestId']);
  const allowed = ['type', 'title', 'status', 'code', 'detail', 'requestId', 'errors'];
  expect(allowed, what).to.include.members(Object.keys(body));
  expect(body.status, what).to.equal(answer.status);
  expect(body.code, what).to.match(/^[A-Z][A-Z0-9_]+$/);
  expect(body.type, what).to.equal(`/problems/${body.code.toLowerCase().replaceAll('_', '-')}`);
  expect(body.requestId, what).to.equal(headers.get('x-request-id'));
  for (const each of body.errors ?? []) expect(each, what).to.have.all.keys('path', 'message');
  expect(JSON.stringify(body), what).not.to.match(TELLTALE);
  return body.code as string;
}
