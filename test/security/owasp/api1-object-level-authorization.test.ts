import { expect } from 'chai';
import { expectProblem, NOBODY } from '../../api/helpers.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../../support/campus.js';

describe('OWASP API1: broken object level authorization', () => {
  let campus: Campus;
  let api: Api;
  let owner: Person;
  let stranger: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
    [owner, stranger] = [await api.register(), await api.register()];
  });
  after(() => campus.close());

  it('API1: what is someone else’s cannot be deleted by its id, and stays', async () => {
    const postId = await owner.publish('Mine');
    const { body: comment } = await owner.post(`/posts/${postId}/comments`, { content: 'Mine, too' });
    expectProblem(await stranger.delete(`/posts/${postId}`), 403, 'NOT_YOUR_POST');
    expectProblem(await stranger.delete(`/posts/${postId}/comments/${comment.id}`), 403, 'NOT_YOUR_COMMENT');
    expect((await owner.get(`/posts/${postId}`)).body).to.include({ content: 'Mine', commentCount: 1 });
  });

  it('API1: what only its owner may know of looks to others as if it did not exist', async () => {
    const { body: tie } = await owner.post('/connections', { userId: (await api.register()).id });
    const { body: sessions } = await owner.get('/auth/sessions');
    const guesses: [method: 'PUT' | 'DELETE' | 'GET', path: (id: string) => string, id: string, code: string][] = [
      ['PUT', (id) => `/connections/${id}/accept`, tie.id, 'CONNECTION_NOT_FOUND'],
      ['DELETE', (id) => `/connections/${id}`, tie.id, 'CONNECTION_NOT_FOUND'],
      ['DELETE', (id) => `/auth/sessions/${id}`, sessions.data[0].id, 'SESSION_NOT_FOUND'],
    ];
    for (const [method, path, id, code] of guesses) {
      for (const guessed of [id, NOBODY]) {
        const answer = await api.request(method, path(guessed), undefined, { token: stranger.token });
        expectProblem(answer, 404, code);
      }
    }
    expect((await owner.get('/users/me')).status).to.equal(200);
    expect((await owner.get('/connections/requests?direction=out')).body.data).to.have.length(1);
  });
});
