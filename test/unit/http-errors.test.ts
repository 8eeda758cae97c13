import { expect } from 'chai';
import request from 'supertest';
import { MongoBulkWriteError, MongoNetworkError, MongoServerError, type BulkWriteResult } from 'mongodb';
import { HOUR } from '../../src/core/clock.js';
import { conflict } from '../../src/core/http/problem.js';
import { anyone, type Route, route } from '../../src/core/http/route.js';
import { shape, whole } from '../../src/core/http/schema.js';
import { appOf, bodyOf } from './http-app.js';

/** A route that does nothing but fail with `error`. */
function failing(error: unknown): Route {
  return route({
    method: 'get',
    path: '/fail',
    tag: 'test',
    summary: 'Fails',
    access: anyone,
    answer: { status: 204 },
    handle: () => Promise.reject(error as Error),
  });
}

describe('http errors', () => {
  const answerTo = async (error: unknown) => request(appOf([failing(error)])).get('/api/v1/fail');

  it('say nothing of what is our own fault', async () => {
    for (const error of [
      new Error('secret at /srv/db'),
      new TypeError('secret'),
      'secret',
      null,
      new MongoServerError({ message: 'secret', code: 2 }),
      Object.assign(new Error('secret'), { status: 404, type: 'x', expose: true }),
    ]) {
      const { status, text: sent } = await answerTo(error);
      expect(status).to.equal(500);
      expect(sent).to.include('INTERNAL_ERROR').and.not.include('secret');
    }
  });

  it('say that the database is away, and when to try again', async () => {
    const labelled = new MongoServerError({ message: 'secret', code: 112 });
    labelled.addErrorLabel('TransientTransactionError');
    const errors = [
      new MongoNetworkError('secret'),
      new MongoBulkWriteError(new MongoNetworkError('secret'), {} as BulkWriteResult),
      new MongoServerError({ message: 'secret', code: 10107 }),
      new MongoServerError({ message: 'x', code: 189 }),
      labelled,
      Object.assign(new Error('secret'), { name: 'MongooseServerSelectionError' }),
    ];
    for (const error of errors) {
      const answer = await answerTo(error);
      expect(answer.status).to.equal(503);
      expect(answer.headers['retry-after']).to.equal('5');
      expect(bodyOf(answer)).to.include({ code: 'DATABASE_UNAVAILABLE' });
      expect(answer.text).not.to.include('secret');
    }
  });

  it('pass problems on as they are, and Joi errors as 400', async () => {
    expect((await answerTo(conflict('EMAIL_TAKEN', 'Taken.'))).body).to.include({
      status: 409,
      code: 'EMAIL_TAKEN',
      title: 'Conflict',
    });
    const { error } = shape({ a: whole() }).validate({ a: 'x' });
    expect((await answerTo(error)).body).to.deep.include({ status: 400, code: 'VALIDATION_FAILED' });
  });

  it('cut the connection where the answer had begun', async () => {
    const half = route({
      method: 'get',
      path: '/half',
      tag: 'x',
      summary: 'x',
      access: anyone,
      answer: { status: 200, contentType: 'text/plain' },
      handle: ({ response }) => {
        response.write('half');
        return Promise.reject(new Error(`after ${HOUR} ms`));
      },
    });
    const outcome = await request(appOf([half]))
      .get('/api/v1/half')
      .then(
        () => 'whole',
        () => 'cut',
      );
    expect(outcome).to.equal('cut');
  });
});
