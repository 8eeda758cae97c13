import { expect } from 'chai';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { anyone, route } from '../../src/core/http/route.js';
import { shape, text } from '../../src/core/http/schema.js';
import { until } from '../support/until.js';
import { appOf } from './http-app.js';

describe('A request whose sender goes away before its body is read', () => {
  it('is not handled, as nothing is known of what it asks for', async () => {
    const handled: unknown[] = [];
    const letIn: (() => void)[] = [];
    const app = appOf(
      [
        route({
          method: 'post',
          path: '/notes',
          tag: 'test',
          summary: 'Takes a note',
          access: anyone,
          body: shape({ content: text({ max: 100 }) }),
          answer: { status: 204 },
          handle: ({ body }) => {
            handled.push(body);
            return Promise.resolve();
          },
        }),
      ],
      { authenticate: () => new Promise((resolve) => letIn.push(() => resolve(undefined))) },
    );
    const ended: Promise<unknown>[] = [];
    const server = createServer((request, response) => {
      ended.push(once(response, 'close'));
      app(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const arrived = once(server, 'request');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.write(
      'POST /api/v1/notes HTTP/1.1\r\nHost: campus.test\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"con',
    );
    await arrived;
    client.destroy();
    await Promise.all(ended);
    for (const each of letIn) each();
    // Whatever follows on that has followed once a whole request is answered.
    const whole = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/notes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ content: 'whole' }),
    });
    await until(
      () => letIn.length,
      (count) => count === 2,
    );
    letIn[1]?.();
    expect((await whole).status).to.equal(204);
    expect(handled).to.deep.equal([{ content: 'whole' }]);
    server.close();
    server.closeAllConnections();
  });
});
