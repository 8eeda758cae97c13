import { type Request } from 'express';
import { anyone, type Route, route, signedIn } from '../../core/http/route.js';
import { presentUser } from '../users/index.js';
import { loginBody, refreshBody, registerBody, signInAnswer, tokensAnswer } from './auth.schemas.js';
import { type AuthService, type Device, type SignedIn } from './auth.service.js';

export function authRoutes(auth: AuthService): Route[] {
  const tag = 'auth';
  return [
    route({
      method: 'post',
      path: '/auth/register',
      tag,
      summary: 'Creates an account and signs in',
      access: anyone,
      body: registerBody,
      idempotent: true,
      answer: { status: 201, body: signInAnswer },
      problems: ['EMAIL_TAKEN'],
      handle: ({ body, request }) => auth.register(body, deviceOf(request)),
      present: presentSignIn,
    }),
    route({
      method: 'post',
      path: '/auth/login',
      tag,
      summary: 'Signs in with e-mail address and password',
      access: anyone,
      body: loginBody,
      answer: { status: 200, body: signInAnswer },
      problems: ['INVALID_CREDENTIALS'],
      handle: ({ body, request }) => auth.login(body.email, body.password, deviceOf(request)),
      present: presentSignIn,
    }),
    route({
      method: 'post',
      path: '/auth/refresh',
      tag,
      summary: 'Exchanges a refresh token for a new pair; each works once',
      access: anyone,
      body: refreshBody,
      answer: { status: 200, body: tokensAnswer },
      problems: ['REFRESH_TOKEN_INVALID', 'REFRESH_TOKEN_REUSED'],
      handle: ({ body }) => auth.refresh(body.refreshToken),
      present: (tokens) => tokens,
    }),
    route({
      method: 'post',
      path: '/auth/logout',
      tag,
      summary: 'Ends this session, on every node and socket',
      access: signedIn,
      answer: { status: 204 },
      handle: ({ actor }) => auth.endSession(actor.sessionId, actor.id, 'logout'),
    }),
  ];
}

function deviceOf(request: Request): Device {
  return { ip: request.ip ?? 'unknown', userAgent: request.get('user-agent') };
}

function presentSignIn({ user, ...tokens }: SignedIn) {
  return { user: presentUser(user, { id: user._id.toHexString(), role: user.role, sessionId: '' }), ...tokens };
}
