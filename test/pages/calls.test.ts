import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo } from 'node:net';
import { join, dirname } from 'node:path';
import { expect } from 'chai';
import { type Browser, type Page } from 'playwright-core';
import { openBrowser } from '../support/browser.js';
import { callable } from '../support/callers.js';
import { type Api, Campus, type Person, WITHOUT_WORKERS } from '../support/campus.js';
import { CALL_PAGE } from './call-page.js';

const client = join(dirname(createRequire(import.meta.url).resolve('socket.io-client/package.json')), 'dist');
/** On one machine without a network, which browsers take for a secret otherwise. */
const ON_ONE_MACHINE = ['--allow-loopback-in-peer-connection', '--disable-features=WebRtcHideLocalIpsWithMdns'];

describe('A call between two browsers', function () {
  // A new machine installs the browser first.
  this.timeout(180_000);
  let campus: Campus;
  let browser: Browser;
  let app: Server;
  let origin: string;
  let nodes: [Api, Api];

  before(async () => {
    app = createServer((request, response) => {
      if (request.url === '/') response.setHeader('content-type', 'text/html').end(CALL_PAGE);
      else void readFile(join(client, 'socket.io.min.js')).then((script) => response.end(script));
    }).listen(0, '127.0.0.1');
    await once(app, 'listening');
    origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
    [campus, browser] = await Promise.all([
      Campus.open({ ...WITHOUT_WORKERS, CORS_ORIGINS: origin }),
      openBrowser(ON_ONE_MACHINE),
    ]);
    nodes = [await campus.startNode(), await campus.startNode()];
  });
  after(async () => {
    await browser.close();
    app.close();
    await campus.close();
  });

  /** A page of someone's, connected to a node; each in a profile of its own, as on two machines. */
  const open = async (person: Person, { url }: Api): Promise<Page> => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(origin);
    await page.evaluate(`connect(${JSON.stringify(url)}, ${JSON.stringify(person.token)})`);
    return page;
  };

  it('finds its way by the signals that pass here, on two nodes; what is said passes between them alone', async () => {
    const [caller, callee] = [await callable(nodes[0]), await callable(nodes[0])];
    const [one, other] = [await open(caller, nodes[0]), await open(callee, nodes[1])];

    await one.evaluate(`call(${JSON.stringify(callee.id)})`);
    await other.waitForFunction('callId !== undefined');
    await other.evaluate('answer()');

    for (const page of [one, other]) {
      await page.waitForFunction("channel?.readyState === 'open' && peer.connectionState === 'connected'");
    }
    await one.evaluate("channel.send('مرحبا، هل تسمعني؟')");
    await other.waitForFunction('heard.length > 0');
    await other.evaluate("channel.send('Loud and clear')");
    await one.waitForFunction('heard.length > 0');
    expect(await other.evaluate('heard')).to.deep.equal(['مرحبا، هل تسمعني؟']);
    expect(await one.evaluate('heard')).to.deep.equal(['Loud and clear']);
    const stored = JSON.stringify(await campus.db.collection('calls').find().toArray());
    expect(stored).to.not.include('v=0').and.not.include('candidate');

    await one.evaluate("ask('call:end', { callId })");
    const { data } = (await callee.get('/calls')).body as { data: unknown[] };
    expect(data[0]).to.deep.include({ type: 'video', direction: 'in', status: 'ended', endReason: 'hungUp' });
  });
});
