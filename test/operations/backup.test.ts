import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Document } from 'mongodb';
import { collections } from '../../src/collections.js';
import { type Api, Campus, type Person, SWEPT_OFTEN, WITHOUT_MAIL } from '../support/campus.js';
import { childEnvironment } from '../support/child-environment.js';
import { compiled } from '../support/compiled.js';
import { newDatabase } from '../support/databases.js';
import { notificationsOf } from '../support/everywhere.js';
import { Load } from '../support/load.js';
import { until } from '../support/until.js';

const run = promisify(execFile);

describe('A backup', function () {
  this.timeout(120_000);

  let campus: Campus;
  let restored: Campus;
  let api: Api;
  let author: Person;
  let postIds: string[];
  let base: string;
  let folder: string;
  let errors: unknown[];
  before(async () => {
    campus = await Campus.open({ ...WITHOUT_MAIL, ...SWEPT_OFTEN });
    // As servers do that are not for tests.
    await keepHistory(300);
    api = await campus.startNode();
    author = await api.register();
    postIds = [await author.publish(), await author.publish()];
    const clients = await Promise.all(Array.from({ length: 4 }, () => api.register()));
    const load = new Load(clients, postIds);
    await until(() => load.acknowledged.length > 40);
    base = await mkdtemp(join(tmpdir(), 'atrium-backup-'));
    folder = join(base, 'backup');
    await script('backup', campus.uri);
    // It was made while they wrote, which it does not know of.
    const { length: meanwhile } = load.acknowledged;
    await until(() => load.acknowledged.length > meanwhile);
    await load.end();
    errors = load.errors;
    restored = await Campus.open({ ...WITHOUT_MAIL, ...SWEPT_OFTEN }, newDatabase());
  });
  after(async () => {
    await keepHistory(0);
    await campus.close();
    await restored.close();
    await rm(base, { recursive: true, force: true });
  });

  const keepHistory = (seconds: number): Promise<Document> =>
    campus.client.db('admin').command({ setParameter: 1, minSnapshotHistoryWindowInSeconds: seconds });

  /** Runs a script of an operator. */
  function script(name: 'backup' | 'restore', uri: string, at = folder): Promise<unknown> {
    const env = childEnvironment({ NODE_ENV: 'test', LOG_LEVEL: 'warn', MONGODB_URI: uri });
    return run(process.execPath, [compiled(`scripts/${name}.ts`), at], { env });
  }

  /** What a script says that refuses. */
  async function refusal(name: 'backup' | 'restore', uri: string, at = folder): Promise<string> {
    const failure = await script(name, uri, at).then(
      () => ({ stderr: 'it did it' }),
      (error: unknown) => error as { stderr: string },
    );
    return failure.stderr;
  }

  /** Another folder with the same backup. */
  async function copy(): Promise<string> {
    const other = join(base, randomUUID());
    await cp(folder, other, { recursive: true });
    return other;
  }

  const contents = async (name: string): Promise<Document[]> =>
    restored.db.collection(name).find().sort({ _id: 1 }).toArray();

  it('is written to a folder of its own, and put into an empty database only', async () => {
    const [again, over] = await Promise.all([refusal('backup', campus.uri), refusal('restore', campus.uri)]);
    expect(again).to.contain('is not empty: a backup needs a folder of its own');
    expect(over).to.contain('is not empty: it has');
  });

  it('is refused where its files are not as they were written, and where a later version made it', async () => {
    const [damaged, newer] = await Promise.all([copy(), copy()]);
    await appendFile(join(damaged, 'comments.bson.gz'), 'x');
    const manifest = join(newer, 'manifest.json');
    const { migrations, ...rest } = JSON.parse(await readFile(manifest, 'utf8')) as { migrations: string[] };
    await writeFile(manifest, JSON.stringify({ ...rest, migrations: [...migrations, '9999-of-tomorrow'] }));

    const refused = await Promise.all([damaged, newer].map((each) => refusal('restore', restored.uri, each)));
    expect(refused[0]).to.contain('the file of comments is not as it was written');
    expect(refused[1]).to.contain('which is newer: 9999-of-tomorrow');
    expect(await restored.db.listCollections().toArray()).to.be.empty;
  });

  it('of a campus at work holds all of it as it was at one moment', async () => {
    expect(errors).to.be.empty;
    await script('restore', restored.uri);
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as {
      collections: { name: string; documents: number }[];
    };
    const lasting = collections.filter(({ cappedBytes }) => cappedBytes === undefined).map(({ name }) => name);
    expect(manifest.collections.map(({ name }) => name)).to.include.members(lasting);

    // What is written together is there together.
    const [posts, reactions, comments] = await Promise.all(['posts', 'reactions', 'comments'].map(contents));
    const events = await contents('events');
    const told = (type: string) => events.filter((event) => event['type'] === type);
    expect(reactions!.length + comments!.length).to.be.at.least(40);
    expect(told('post.reacted')).to.have.length(reactions!.length);
    expect(told('comment.created').map(({ entity }) => entity.id)).to.have.members(
      comments!.map(({ _id }) => String(_id)),
    );
    for (const { _id, reactionCounts, commentCount } of posts!) {
      const of = (rows: Document[]) => rows.filter(({ postId }) => String(postId) === String(_id)).length;
      expect([reactionCounts.LIKE ?? 0, commentCount]).to.deep.equal([of(reactions!), of(comments!)]);
    }
    // And as it was there, to the types of its numbers.
    for (const name of ['users', 'reactions', 'secrets']) {
      const ids = (await contents(name)).map(({ _id }) => _id as never);
      const found = ({ db }: Campus) => {
        const cursor = db.collection(name).find({ _id: { $in: ids } }, { promoteValues: false });
        return cursor.sort({ _id: 1 }).toArray();
      };
      expect(await found(restored), name)
        .to.have.length(ids.length)
        .and.to.deep.equal(await found(campus));
    }
  });

  it('gets the indexes that it had', async () => {
    for (const { name } of collections) {
      const of = async ({ db }: Campus) =>
        (await db.collection(name).indexes()).map(({ key, ...rest }) => ({ key, ...rest }));
      expect(await of(restored), name).to.have.deep.members(await of(campus));
    }
  });

  it('is a campus again: people are who they were, and are told once of what they had not been told of', async () => {
    await campus.stopNodes();
    const positions = await restored.db
      .collection('consumers')
      .find({ token: { $exists: true } })
      .toArray();
    expect(positions).to.be.empty;
    const told = (await contents('events')).filter(
      ({ type, data }) => ['post.reacted', 'comment.created'].includes(String(type)) && postIds.includes(data.postId),
    );

    const again = await restored.startNode();
    const back = await again.signIn(author.email, author.password);
    expect(back.id).to.equal(author.id);
    const notifications = await until(
      () => notificationsOf(restored, author),
      ({ length }) => length >= told.length,
    );
    expect(notifications).to.have.length(told.length);

    // What happens from now on is told, too.
    const reader = await again.register();
    const socket = await back.connect('/notifications');
    expect((await reader.post(`/posts/${postIds[0]!}/comments`, { content: 'after the restore' })).status).to.equal(
      201,
    );
    await socket.next('notification:new', ({ actorIds }) => actorIds.includes(reader.id));
    back.disconnect();
  });
});
