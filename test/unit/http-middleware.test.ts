import { expect } from 'chai';
import express, { type Express } from 'express';
import { pino } from 'pino';
import request from 'supertest';
import { accessLog, errorHandler, requestId, unknownRoute } from '../../src/core/http/middleware.js';
import { type Log } from '../../src/core/observability/log.js';
import { currentRequest } from '../../src/core/observability/request-context.js';

describe('http middleware', () => {
  let lines: Record<string, unknown>[];
  let app: Express;

  beforeEach(() => {
    lines = [];
    const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
    const log: Log = pino({ mixin: () => currentRequest() ?? {} }, stream);
    app = express();
    app.use(
      requestId(),
      accessLog(log, (path) => path === '/health'),
    );
    app.post('/echo', express.text(), (req, res) => {
      log.info('inside');
      res.send(req.body);
    });
    app.get('/health', (_req, res) => void res.send('ok'));
    app.get('/fail', () => {
      throw new Error('secret');
    });
    app.use(unknownRoute(), errorHandler(log));
  });

  it('logs one line per request, without query or headers', async () => {
    await request(app)
      .post('/echo?token=secret')
      .set({ 'X-Request-Id': 'r1', Authorization: 'Bearer secret' })
      .type('text')
      .send('hi')
      .expect(200, 'hi');
    expect(lines).to.have.length(2);
    expect(lines[0]).to.include({ msg: 'inside', requestId: 'r1' });
    expect(lines[1]).to.deep.include({ requestId: 'r1', res: { status: 200 } });
    expect(lines[1]!['req']).to.deep.include({ method: 'POST', path: '/echo' });
    expect(JSON.stringify(lines)).not.to.include('secret');
  });

  it('logs nothing of quiet paths', async () => {
    await request(app).get('/health').expect(200);
    expect(lines).to.deep.equal([]);
  });

  it('logs what failed, in full, as an error', async () => {
    const { text } = await request(app).get('/fail').set('X-Request-Id', 'r2').expect(500);
    expect(text).not.to.include('secret');
    expect(lines[0]).to.deep.include({ level: 50, requestId: 'r2', code: 'INTERNAL_ERROR' });
    expect((lines[0]!['err'] as { message: string }).message).to.equal('secret');
    expect(lines[1]).to.include({ level: 50, requestId: 'r2' });
  });

  it('answers unknown routes', async () => {
    const { body } = (await request(app).get('/nothing').expect(404)) as { body: { code: string } };
    expect(body.code).to.equal('ROUTE_NOT_FOUND');
  });
});
