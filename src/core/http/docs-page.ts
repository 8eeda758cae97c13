/** The page itself; title and base come from the server's own configuration. */
export function docsHtml(title: string, base: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escapeHtml(title)}</title>
    <link rel="stylesheet" href="${escapeHtml(base)}/docs/docs.css">
    <script defer src="${escapeHtml(base)}/docs/docs.js" data-document="${escapeHtml(base)}/openapi.json"></script>
  </head>
  <body>
    <header>
      <h1>${escapeHtml(title)}</h1>
      <p id="about"></p>
      <input id="filter" type="search" placeholder="Filter by path, summary or tag" aria-label="Filter">
    </header>
    <main id="operations"><p>Loading …</p></main>
  </body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** Lists the operations of the document. Text goes in as text only, so that nothing in it can be markup. */
export const docsScript = String.raw`'use strict';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const source = document.currentScript.dataset.document;

function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

function resolve(api, part) {
  if (!part || !part.$ref) return part;
  return part.$ref.slice(2).split('/').reduce((at, key) => at[key], api);
}

/* A schema in one line per field, like a type. */
function outline(api, schema, indent, seen) {
  if (!schema) return 'any';
  if (schema.$ref) {
    const name = schema.$ref.split('/').pop();
    if (seen.includes(name)) return name;
    return name + ' ' + outline(api, resolve(api, schema), indent, [...seen, name]);
  }
  if (schema.anyOf) return schema.anyOf.map((one) => outline(api, one, indent, seen)).join(' | ');
  if (schema.allOf) return schema.allOf.map((one) => outline(api, one, indent, seen)).join(' & ');
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const type = [].concat(schema.type || 'any').join(' | ');
  if (schema.items) return 'list of ' + outline(api, schema.items, indent, seen);
  if (schema.properties) {
    const required = schema.required || [];
    const inner = indent + '  ';
    const fields = Object.entries(schema.properties).map(
      ([key, value]) => inner + key + (required.includes(key) ? '' : '?') + ': ' + outline(api, value, inner, seen),
    );
    return '{\n' + fields.join('\n') + '\n' + indent + '}';
  }
  if (typeof schema.additionalProperties === 'object') {
    return '{ [key]: ' + outline(api, schema.additionalProperties, indent, seen) + ' }';
  }
  return type + bounds(schema);
}

function bounds(schema) {
  const notes = [schema.format, schema.pattern];
  if (schema.maxLength) notes.push((schema.minLength || 0) + '–' + schema.maxLength + ' characters');
  if (schema.minimum !== undefined) notes.push('≥ ' + schema.minimum);
  if (schema.maximum !== undefined) notes.push('≤ ' + schema.maximum);
  if (schema.default !== undefined) notes.push('default ' + JSON.stringify(schema.default));
  const said = notes.filter(Boolean);
  return said.length ? ' (' + said.join(', ') + ')' : '';
}

function contents(api, holder) {
  return Object.entries((holder && holder.content) || {}).map(([type, { schema }]) =>
    element('div', {}, element('small', {}, type), element('pre', {}, outline(api, schema, '', []))),
  );
}

function details(api, operation) {
  const parts = [];
  if (operation.description) parts.push(element('p', {}, operation.description));
  if (operation['x-roles']) parts.push(element('p', {}, 'Only for: ' + operation['x-roles'].join(', ')));
  const parameters = operation.parameters.map((one) => resolve(api, one));
  if (parameters.length) {
    const rows = parameters.map((one) =>
      element('tr', {},
        element('td', {}, element('code', {}, one.name)),
        element('td', {}, one.in + (one.required ? ', required' : '')),
        element('td', {}, outline(api, one.schema, '', [])),
      ));
    parts.push(element('h4', {}, 'Parameters'), element('table', {}, ...rows));
  }
  if (operation.requestBody) parts.push(element('h4', {}, 'Body'), ...contents(api, operation.requestBody));
  for (const [status, reference] of Object.entries(operation.responses)) {
    const response = resolve(api, reference);
    const shown = status.startsWith('2') ? contents(api, response) : [];
    parts.push(element('h4', {}, status + ' — ' + response.description), ...shown);
  }
  return parts;
}

function render(api) {
  const base = api.servers[0].url;
  const sections = api.tags.map(({ name }) => element('section', {}, element('h2', {}, name)));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((one) => item[one])) {
      const operation = item[method];
      const open = operation.security.some((one) => !Object.keys(one).length);
      const summary = element('summary', {},
        element('b', { class: method }, method.toUpperCase()),
        element('code', operation.deprecated ? { class: 'deprecated' } : {}, base + path),
        element('span', {}, operation.summary + (open ? '' : ' 🔒')),
      );
      const words = [method, path, operation.summary, operation.tags[0], operation.operationId].join(' ').toLowerCase();
      const node = element('details', { id: operation.operationId, 'data-words': words }, summary);
      node.addEventListener('toggle', () => {
        if (node.open && node.children.length === 1) node.append(...details(api, operation));
      });
      sections[api.tags.findIndex(({ name }) => name === operation.tags[0])].append(node);
    }
  }
  document.getElementById('operations').replaceChildren(...sections);
  document.getElementById('about').textContent = [api.info.version, api.info.description].filter(Boolean).join(' — ');
  const linked = document.getElementById(location.hash.slice(1));
  if (linked) linked.open = true;
}

function filter(text) {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const node of document.querySelectorAll('details')) {
    node.hidden = !wanted.every((word) => node.dataset.words.includes(word));
  }
}

document.getElementById('filter').addEventListener('input', (event) => filter(event.target.value));
fetch(source).then((response) => response.json()).then(render, () => {
  document.getElementById('operations').textContent = 'The document could not be loaded.';
});
`;

export const docsStyle = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 64rem; margin: 0 auto; padding: 1rem; }
input { width: 100%; padding: .5rem; font: inherit; box-sizing: border-box; }
h2 { margin: 2rem 0 .5rem; text-transform: capitalize; }
h4 { margin: 1rem 0 .25rem; }
details { border: 1px solid #8884; border-radius: .4rem; margin: .3rem 0; padding: .4rem .7rem; }
summary { cursor: pointer; display: flex; flex-wrap: wrap; gap: .2rem .8rem; align-items: baseline; }
summary b { min-width: 4.5rem; }
summary span { opacity: .8; }
.get { color: #0a7; } .post { color: #07c; } .put, .patch { color: #b70; } .delete { color: #c33; }
.deprecated { text-decoration: line-through; }
pre { overflow-x: auto; background: #8882; padding: .6rem; border-radius: .3rem; margin: .2rem 0; }
td { padding: .1rem 1rem .1rem 0; vertical-align: top; }
`;
