import express, { type Response, type Router } from 'express';
import { docsHtml, docsScript, docsStyle } from './docs-page.js';
import { type OpenApiDocument } from './openapi.js';

// The page reads the document of this server and needs nothing else, least of all a script from elsewhere.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `GET /openapi.json`, and `/docs`, a page that shows it to people. */
export function docsRouter(document: OpenApiDocument): Router {
  const router = express.Router();
  const json = JSON.stringify(document);
  const send = (response: Response, type: string, content: string): void => {
    response.set('Cache-Control', 'no-cache').type(type).send(content);
  };

  router.get('/openapi.json', (_request, response) => {
    send(response, 'application/json', json);
  });
  router.get('/docs', (request, response) => {
    response.set('Content-Security-Policy', POLICY);
    send(response, 'text/html', docsHtml(document.info.title, request.baseUrl));
  });
  router.get('/docs/docs.js', (_request, response) => {
    send(response, 'text/javascript', docsScript);
  });
  router.get('/docs/docs.css', (_request, response) => {
    send(response, 'text/css', docsStyle);
  });
  return router;
}
