import { type Api } from '../support/campus.js';

const WEB_APP = 'https://campus.test';

/** Where a browser has come to. */
export interface Page {
  url: URL;
  status: number;
  headers: Headers;
  text: string;
}

interface Cookie {
  host: string;
  name: string;
  value: string;
  path: string;
  sameSite: string;
  secure: boolean;
}

/**
 * A browser with cookies of its own: it keeps the rules about paths, TLS and other sites, and follows redirects one by
 * one. The API is where the web app is, as behind a proxy; the web app itself is only where the way ends.
 */
export class Browser {
  cookies: Cookie[] = [];
  /** Every address that it was at, in order. */
  readonly history: string[] = [];

  constructor(private readonly api: Api) {}

  /** Follows a link, and all redirects, to where a person has something to do. */
  async visit(address: string): Promise<Page> {
    return this.travel(new URL(address, WEB_APP), undefined, []);
  }

  /** Posts a form that stands on a page. */
  async submit(page: Page, fields: Record<string, string>, action = page.url.href): Promise<Page> {
    return this.travel(new URL(action, page.url), new URLSearchParams(fields), [page.url.hostname]);
  }

  /** One request, whatever it answers. */
  async request(url: URL, form?: URLSearchParams, sites: string[] = []): Promise<Page> {
    this.history.push(url.href);
    const isApi = url.origin === WEB_APP;
    const reached = isApi ? `${this.api.url}${url.pathname}${url.search}` : url.href;
    const cookie = this.cookiesFor(
      url,
      form !== undefined,
      sites.some((site) => site !== url.hostname),
    ).join('; ');
    const response = await fetch(reached, {
      redirect: 'manual',
      headers: cookie === '' ? {} : { cookie },
      ...(form && { method: 'POST', body: form }),
    });
    for (const line of response.headers.getSetCookie()) this.keep(url, line);
    return { url, status: response.status, headers: response.headers, text: await response.text() };
  }

  /** Follows a link on a page, which may be of another site. */
  async follow(url: URL, { url: { hostname } }: Page): Promise<Page> {
    return this.travel(url, undefined, [hostname]);
  }

  /** What the API's cookie of that name holds. */
  cookie(name: string): string | undefined {
    return this.cookies.find((cookie) => cookie.host === new URL(WEB_APP).hostname && cookie.name === name)?.value;
  }

  private async travel(url: URL, form: URLSearchParams | undefined, sites: string[]): Promise<Page> {
    if (url.origin === WEB_APP && !url.pathname.startsWith('/api/')) {
      this.history.push(url.href);
      return { url, status: 200, headers: new Headers(), text: 'the web app' };
    }
    const page = await this.request(url, form, sites);
    const location = page.headers.get('location');
    if (location === null) return page;
    return this.travel(new URL(location, url), undefined, [...sites, url.hostname]);
  }

  private cookiesFor(url: URL, isPost: boolean, isCrossSite: boolean): string[] {
    const sent = this.cookies.filter(
      ({ host, path, secure, sameSite }) =>
        host === url.hostname &&
        url.pathname.startsWith(path) &&
        (!secure || url.protocol === 'https:') &&
        (!isCrossSite || sameSite === 'none' || (sameSite === 'lax' && !isPost)),
    );
    return sent.map(({ name, value }) => `${name}=${value}`);
  }

  private keep(url: URL, line: string): void {
    const [pair = '', ...rest] = line.split(';').map((part) => part.trim());
    const attributes = new Map(
      rest.map((part) => {
        const [key = '', value = ''] = part.split('=');
        return [key.toLowerCase(), value] as const;
      }),
    );
    const name = pair.slice(0, pair.indexOf('='));
    const path = attributes.get('path') ?? '/';
    this.cookies = this.cookies.filter(
      (kept) => kept.host !== url.hostname || kept.name !== name || kept.path !== path,
    );
    const expires = attributes.get('expires');
    if (attributes.get('max-age') === '0' || (expires !== undefined && Date.parse(expires) < Date.now())) return;
    this.cookies.push({
      host: url.hostname,
      name,
      value: pair.slice(name.length + 1),
      path,
      sameSite: (attributes.get('samesite') ?? 'Lax').toLowerCase(),
      secure: attributes.has('secure'),
    });
  }
}
