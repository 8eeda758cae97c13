import { type Request, type Response } from 'express';
import { type Limit } from './limits.js';
import { type Decision } from './policy.js';
import { type Infer, type Schema } from './schema.js';

/** Who sent the request. */
export interface Actor {
  readonly id: string;
  readonly role: string;
  /** Empty where a partner system sends it with an API key. */
  readonly sessionId: string;
  /** Of an API key: it may use the routes that name one of these, and no other. */
  readonly scopes?: readonly string[];
}

/** Who may use a route at all; what they may do with a resource is its policy's business. */
export interface Access<Signed extends boolean = boolean> {
  readonly signedIn: Signed;
  /** Only these roles, where given. */
  readonly roles?: readonly string[];
  /** API keys with this scope may use it, too. */
  readonly scope?: string;
}

/** Anyone, signed in or not. */
export const anyone: Access<false> = { signedIn: false };

/** Whoever is signed in. */
export const signedIn: Access<true> = { signedIn: true };

/** Whoever is signed in with one of these roles. */
export function roles(...names: [string, ...string[]]): Access<true> {
  return { signedIn: true, roles: names };
}

/** The same, and API keys with this scope. */
export function orKeyWith(scope: string, access: Access<true>): Access<true> {
  return { ...access, scope };
}

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

type Who<A> = A extends Access<true> ? Actor : Actor | undefined;
type Given<S> = S extends Schema ? Infer<S> : undefined;

/** What a handler gets: the request, validated and typed. */
export interface RouteContext<Who = Actor | undefined, P = unknown, Q = unknown, B = unknown, R = unknown> {
  readonly actor: Who;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly resource: R;
  readonly request: Request;
  readonly response: Response;
}

/**
 * What may be answered where a schema allows `T`: a time as `Date` or already as a string, an optional key also
 * with `undefined`.
 */
export type Presented<T> = T extends Date
  ? Date | string
  : T extends null | undefined | string | number | boolean
    ? T
    : T extends readonly (infer Item)[]
      ? readonly Presented<Item>[]
      : T extends object
        ? PresentedObject<T>
        : T;
type PresentedObject<T> = {
  readonly [K in keyof T as IsOptional<T, K> extends true ? never : K]: Presented<T[K]>;
} & {
  readonly [K in keyof T as IsOptional<T, K> extends true ? K : never]?: Presented<T[K]> | undefined;
};
type IsOptional<T, K extends keyof T> = T extends Record<K, T[K]> ? false : true;

/** What is sent where there is another content type than JSON. */
export type RawAnswer = string | Buffer | NodeJS.ReadableStream;

/** The answer of a successful request. */
export interface Answer<O extends Schema | undefined = Schema | undefined> {
  /** 302 sends the client on: the result is then the URL, with what it carries, and there is no body. */
  readonly status: 200 | 201 | 202 | 204 | 302;
  /** Absent where nothing is sent. */
  readonly body?: O;
  readonly description?: string;
  /** Another one than JSON: the result, a `RawAnswer`, is then sent as it is. */
  readonly contentType?: string;
}

type Body<O> = O extends Schema ? Presented<Infer<O>> : unknown;

interface Declaration<A, P, Q, B, R, O extends Schema | undefined> {
  readonly method: Method;
  /** In Express' notation, below the version prefix: `/posts/:postId`. */
  readonly path: string;
  /** Unique in the document; made from method and path unless given. */
  readonly operationId?: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly access: A;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** The body comes as a form, whose values are strings, and not as JSON. */
  readonly form?: boolean;
  /** Content types of a body that `handle` reads itself from `request`; such a route has no `body`. */
  readonly upload?: readonly string[];
  /** What stands in the form beside its file; `handle` reads it with `readForm`. */
  readonly uploadFields?: Schema;
  /** The resource acted on; `undefined` or `null` is a 404. Runs beside the rate limits: it must only read. */
  readonly load?: (
    ctx: Omit<RouteContext<Who<A>, Given<P>, Given<Q>, Given<B>>, 'resource'>,
  ) => Promise<R | null | undefined>;
  /** Whether this actor may do this with this resource. */
  readonly policy?: (
    actor: Who<A>,
    resource: R,
    ctx: RouteContext<Who<A>, Given<P>, Given<Q>, Given<B>, R>,
  ) => Decision | Promise<Decision>;
  /** The code of the 404 where nothing is loaded or the policy hides it. */
  readonly missing?: string;
  /**
   * Not counted by the global limit either: for systems that prove who they are, and call whenever there is something
   * to tell.
   */
  readonly unmetered?: boolean;
  /** Beside the global one; each counts per user, else per IP. */
  readonly limits?: readonly Limit[];
  /**
   * Accepts `Idempotency-Key`. The handler and the presenter then run inside a transaction, possibly more than
   * once, so they must not touch anything but the database.
   */
  readonly idempotent?: boolean;
  /**
   * Requests with the same key are handled one after the other on this node, before any transaction begins: it spares
   * a hot document the conflicts that transactions would otherwise resolve by trying again. It is no lock between nodes.
   */
  readonly serialBy?: (ctx: RouteContext<Who<A>, Given<P>, Given<Q>, Given<B>, R>) => string;
  readonly answer: Answer<O>;
  /** Further codes it may answer with, for the document. */
  readonly problems?: readonly string[];
  /** Sends the `Deprecation` and `Sunset` headers. */
  readonly deprecated?: { readonly since: Date; readonly sunset: Date };
}

type Handle<A, P, Q, B, R, Result> = (ctx: RouteContext<Who<A>, Given<P>, Given<Q>, Given<B>, R>) => Promise<Result>;

interface WithPresenter<A, P, Q, B, R, O, Result> {
  readonly handle: Handle<A, P, Q, B, R, Result>;
  /** The answer's body: the fields that leave the server, listed. */
  readonly present: (
    result: Result,
    ctx: RouteContext<Who<A>, Given<P>, Given<Q>, Given<B>, R>,
  ) => Body<O> | Promise<Body<O>>;
}

interface WithoutPresenter<A, P, Q, B, R, O> {
  readonly handle: Handle<A, P, Q, B, R, Body<O>>;
  readonly present?: undefined;
}

/** A declared endpoint, whatever its types. */
export interface Route extends Omit<
  Declaration<Access, Schema | undefined, Schema | undefined, Schema | undefined, unknown, Schema | undefined>,
  'load' | 'policy' | 'serialBy'
> {
  readonly load?: (ctx: Omit<RouteContext, 'resource'>) => Promise<unknown>;
  readonly policy?: (actor: Actor | undefined, resource: unknown, ctx: RouteContext) => Decision | Promise<Decision>;
  readonly serialBy?: (ctx: RouteContext) => string;
  readonly handle: (ctx: RouteContext) => Promise<unknown>;
  readonly present?: (result: unknown, ctx: RouteContext) => unknown;
}

/**
 * Declares an endpoint: what it takes, who may use it, what it does and what it answers. Nothing happens until
 * `mountRoutes`; the OpenAPI document is made from the same declaration.
 */
export function route<
  A extends Access,
  Result,
  P extends Schema | undefined = undefined,
  Q extends Schema | undefined = undefined,
  B extends Schema | undefined = undefined,
  R = undefined,
  O extends Schema | undefined = undefined,
>(definition: Declaration<A, P, Q, B, R, O> & WithPresenter<A, P, Q, B, R, O, Result>): Route;
export function route<
  A extends Access,
  P extends Schema | undefined = undefined,
  Q extends Schema | undefined = undefined,
  B extends Schema | undefined = undefined,
  R = undefined,
  O extends Schema | undefined = undefined,
>(definition: Declaration<A, P, Q, B, R, O> & WithoutPresenter<A, P, Q, B, R, O>): Route;
export function route(definition: unknown): Route {
  // The pipeline hands each function what the schemas beside it have let through; the types of one declaration
  // are of no use to a list of many.
  return definition as Route;
}
