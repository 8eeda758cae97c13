/** What a policy says about an actor and a resource. */
export type Decision =
  | { readonly kind: 'allow' }
  | { readonly kind: 'hide' }
  | { readonly kind: 'deny'; readonly code: string; readonly detail: string };

/** Go on. */
export function allow(): Decision {
  return { kind: 'allow' };
}

/** 404: the actor must not learn that there is such a resource. */
export function hide(): Decision {
  return { kind: 'hide' };
}

/** 403: the actor may know of it, but not do this. */
export function deny(code = 'FORBIDDEN', detail = 'You may not do this.'): Decision {
  return { kind: 'deny', code, detail };
}
