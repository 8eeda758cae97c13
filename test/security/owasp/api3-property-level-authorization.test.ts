import { expect } from 'chai';
import { expectInvalid } from '../../api/helpers.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../../support/campus.js';

/** What decides about an account and is nobody's to set by naming it. */
const FORBIDDEN = {
  role: 'admin',
  emailVerified: true,
  emailVerifiedAt: '2026-01-01T00:00:00.000Z',
  suspendedUntil: null,
  profileAudience: 'everyone',
  _id: 'f'.repeat(24),
};

describe('OWASP API3: broken object property level authorization', () => {
  let campus: Campus;
  let api: Api;
  let person: Person;
  before(async () => {
    campus = await Campus.open(WITHOUT_WORKERS);
    api = await campus.startNode();
    person = await api.register();
  });
  after(() => campus.close());

  it('API3: fields that are not the client’s to set are refused, each by its name, and change nothing', async () => {
    const before = await person.get('/users/me');
    for (const [field, value] of Object.entries(FORBIDDEN)) {
      for (const path of ['/users/me', '/profiles/me', '/settings/privacy', '/settings/preferences']) {
        expectInvalid(await person.patch(path, { [field]: value }), `body.${field}`);
      }
    }
    expect((await person.get('/users/me')).body).to.deep.equal(before.body);
  });

  it('API3: nobody registers with a role that is given', async () => {
    for (const role of ['admin', 'moderator']) {
      const newcomer = { name: 'N', email: `n-${role}@campus.test`, password: 'violet umbrellas at dawn', role };
      expectInvalid(await api.request('POST', '/auth/register', newcomer), 'body.role');
    }
  });

  it('API3: what is shown of others is what the list of fields says, and no secret is in anyone’s own', async () => {
    const other = await api.register();
    for (const path of [`/profiles/${person.id}`, '/users']) {
      expect(JSON.stringify((await other.get(path)).body)).to.not.include(person.email);
    }
    const own = JSON.stringify([(await person.get('/users/me')).body, (await person.get('/auth/sessions')).body]);
    expect(own).to.not.match(/passwordHash|argon2|refreshToken|keys"/);
  });
});
