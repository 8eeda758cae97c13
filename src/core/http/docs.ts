import express, { type Response, type Router } from 'express';
// Its main module would parse the whole page's script at every start.
import swaggerUiFolder from 'swagger-ui-dist/absolute-path.js';
import { docsHtml, docsScript } from './docs-page.js';
import { type OpenApiDocument } from './openapi.js';

// The page reads the document of this server and needs nothing from elsewhere. Swagger UI sets styles on elements
// and draws its icons from data URLs.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The documents, made when they are asked for first: a start need not wait for them. */
export interface Documents {
  openApi: () => OpenApiDocument;
  /** Of the socket events, for `GET /asyncapi.json`. */
  asyncApi?: () => object;
}

/** `GET /openapi.json`, and `/docs`, a page that shows it to people. */
export function docsRouter({ openApi, asyncApi }: Documents): Router {
  const router = express.Router({ strict: true });
  const document = once(openApi);
  const json = once(() => JSON.stringify(document()));
  const send = (response: Response, type: string, content: string): void => {
    response.set('Cache-Control', 'no-cache').type(type).send(content);
  };

  router.get('/openapi.json', (_request, response) => {
    send(response, 'application/json', json());
  });
  if (asyncApi) {
    const events = once(() => JSON.stringify(asyncApi()));
    router.get('/asyncapi.json', (_request, response) => {
      send(response, 'application/json', events());
    });
  }
  router.get('/docs', (_request, response) => {
    response.set('Content-Security-Policy', POLICY);
    send(response, 'text/html', docsHtml(document().info.title));
  });
  router.get('/docs/start.js', (_request, response) => {
    send(response, 'text/javascript', docsScript);
  });
  router.use('/docs', express.static(swaggerUiFolder(), { index: false, redirect: false, maxAge: '1d' }));
  return router;
}

function once<T extends object | string>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
