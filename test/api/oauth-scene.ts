import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { type HouseName, OpenIdEdge } from '../edge/openid.js';
import { type ProviderAccount } from '../edge/openid-house.js';
import { type Answer, type Json, Person } from '../support/api.js';
import { type Api, Campus } from '../support/campus.js';
import { Browser, type Page } from './oauth-browser.js';

export const HOUSES: HouseName[] = ['google', 'github', 'apple', 'facebook'];

/** Where a sign-in with a provider begins. */
export const startOf = (house: string, query: Record<string, string> = {}): string =>
  `/api/v1/auth/oauth/${house}/start?${new URLSearchParams(query).toString()}`;

let people = 0;

/** Someone whom a provider knows, with an address of their own that it vouches for; Facebook never does. */
export function someone(house: HouseName, choices: { name?: string; email?: string; verified?: boolean } = {}) {
  const unique = randomBytes(5).toString('hex');
  const { name = `Person ${unique}`, email = `person-${unique}@campus.test`, verified = true } = choices;
  const subject = String(70_000 + ++people);
  const api: Record<string, object> = {
    '/user': { id: Number(subject), login: `login-${unique}`, name },
    '/user/emails': [
      { email: `other-${unique}@campus.test`, primary: false, verified: true },
      { email, primary: true, verified },
    ],
    '/v23.0/me': { id: subject, name, email },
  };
  const claims = { email, email_verified: verified, ...(house === 'google' && { name }) };
  const [firstName, lastName] = name.split(' ');
  const account: ProviderAccount = {
    subject,
    claims,
    api,
    ...(house === 'apple' && { user: { name: { firstName, lastName }, email } }),
  };
  return { house, subject, name, email, account };
}

export type Someone = ReturnType<typeof someone>;

/** A campus with the four providers beside it. */
export class OAuthScene {
  private constructor(
    readonly campus: Campus,
    readonly openid: OpenIdEdge,
    /** Two nodes of one deployment. */
    readonly api: Api,
    readonly otherNode: Api,
  ) {}

  static async open(): Promise<OAuthScene> {
    const openid = await OpenIdEdge.start();
    const campus = await Campus.open();
    const env = { ...openid.environment(), TRUST_PROXY: '1' };
    return new OAuthScene(campus, openid, await campus.startNode({ env }), await campus.startNode({ env }));
  }

  async close(): Promise<void> {
    await this.campus.close();
    await this.openid.stop();
  }

  browser(): Browser {
    return new Browser(this.api);
  }

  /** Makes someone known to their provider. */
  someone(house: HouseName, choices: Parameters<typeof someone>[1] = {}): Someone {
    const person = someone(house, choices);
    this.openid.add(house, person.account);
    return person;
  }

  /** Signs in with a provider, all the way; whoever is nobody calls it off there. */
  async signIn(person: Someone, browser = this.browser(), query: Record<string, string> = {}): Promise<Outcome> {
    const back = await toTheWayBack(browser, person, query);
    return new Outcome(this.api, browser, await goBack(browser, back));
  }

  /** Signs someone in whose sign-in must succeed. */
  async enter(person: Someone, query: Record<string, string> = {}): Promise<Person> {
    return (await this.signIn(person, this.browser(), query)).person();
  }
}

/** What a provider has the browser do last: follow a link back, or post a form. */
export interface WayBack {
  page: Page;
  url: URL;
  form?: URLSearchParams;
}

/** Goes to the provider and signs in there, but not back yet. */
export async function toTheWayBack(
  browser: Browser,
  { house, subject }: Pick<Someone, 'house' | 'subject'>,
  query: Record<string, string> = {},
): Promise<WayBack> {
  let page = await browser.request(new URL(startOf(house, query), 'https://campus.test'));
  expect(page.status, page.text).to.equal(302);
  for (;;) {
    const location = page.headers.get('location');
    if (location !== null) {
      const url = new URL(location, page.url);
      if (url.hostname === 'campus.test') return { page, url };
      page = await browser.request(url);
    } else if (page.url.pathname.endsWith('/interaction')) {
      page = await browser.request(page.url, new URLSearchParams({ account: subject }));
    } else {
      const action = /<form method="post" action="([^"]+)">/.exec(page.text)?.[1];
      if (action === undefined) throw new Error(`no way back from ${page.url.href}: ${page.status} ${page.text}`);
      const inputs = [...page.text.matchAll(/name="(\w+)" value="([^"]*)"/g)];
      const form = new URLSearchParams();
      for (const [, name = '', value = ''] of inputs) form.set(name, value.replaceAll('&quot;', '"'));
      return { page, url: new URL(action), form };
    }
  }
}

/** Follows the way back, to the web app. */
export function goBack(browser: Browser, { page, url, form }: WayBack): Promise<Page> {
  return form ? browser.submit(page, Object.fromEntries(form), url.href) : browser.follow(url, page);
}

/** A page as an answer of the API. */
export function answerOf({ status, headers, text }: Page): Answer<Json> {
  const isJson = (headers.get('content-type') ?? '').includes('json');
  return { status, headers, body: isJson ? JSON.parse(text) : text };
}

/** The end of a sign-in, as the web app sees it. */
export class Outcome {
  constructor(
    private readonly api: Api,
    readonly browser: Browser,
    readonly page: Page,
  ) {}

  /** What the fragment says. */
  get said(): Record<string, string> {
    return Object.fromEntries(new URLSearchParams(this.page.url.hash.slice(1)));
  }

  /** Does what the web app does next: it exchanges the cookie for an access token. */
  async person(): Promise<Person> {
    expect(this.said, this.page.text).to.deep.equal({ oauth: 'signed-in' });
    const cookie = `atrium_refresh=${this.browser.cookie('atrium_refresh') ?? ''}`;
    const headers = { cookie, origin: 'https://campus.test' };
    const { status, body } = await this.api.request('POST', '/auth/refresh', undefined, { headers });
    expect(status, JSON.stringify(body)).to.equal(200);
    const me = (await this.api.request('GET', '/users/me', undefined, { token: body.accessToken })).body;
    return new Person(this.api, { ...body, user: me }, me.email, '');
  }
}
