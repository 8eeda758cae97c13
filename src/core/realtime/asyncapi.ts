import { createSchemaWriter, type JsonSchema, type SchemaWriter } from '../http/json-schema.js';
import { problemSchema } from '../http/openapi-problems.js';
import { type ClientEvent, type NamespaceDefinition, type ServerEvent } from './namespace.js';
import { PROBLEM_EVENT, renewal, standardServerEvents } from './standard-events.js';

export interface AsyncApiOptions {
  namespaces: readonly NamespaceDefinition[];
  title: string;
  version: string;
  /** Where clients reach the server. */
  publicUrl: string;
}

export interface AsyncApiDocument {
  asyncapi: string;
  info: { title: string; version: string; description: string };
  defaultContentType: string;
  servers: Record<string, JsonSchema>;
  channels: Record<string, Channel>;
  operations: Record<string, JsonSchema>;
  components: Record<string, Record<string, JsonSchema>>;
}

interface Channel {
  address: string;
  title: string;
  description: string;
  servers: Reference[];
  messages: Record<string, Message>;
}

interface Message {
  name: string;
  summary: string;
  payload: JsonSchema;
}

interface Reference {
  $ref: string;
}

const DESCRIPTION = `What is said over Socket.IO (protocol 5): one channel per namespace, one message per event. A client
connects to a namespace with \`auth: { token }\`, an access token; a refusal comes as \`connect_error\` with a problem
document in \`data\`. What the server receives it acknowledges with \`{ ok: true, … }\` or
\`{ ok: false, error: problem }\`; where the client gave no callback, a failure comes as \`${PROBLEM_EVENT}\`. More than
100 events in 10 seconds end the connection.`;

const PROBLEM: Reference = { $ref: '#/components/schemas/Problem' };
const SERVER = 'atrium';

/** The AsyncAPI 3.0 document of the namespaces, made from the very schemas that their events are validated by. */
export function asyncApiDocument({ namespaces, title, version, publicUrl }: AsyncApiOptions): AsyncApiDocument {
  const writer = createSchemaWriter();
  const { host, protocol } = new URL(publicUrl);
  const described = namespaces.map((definition) => describeNamespace(definition, writer));
  return {
    asyncapi: '3.0.0',
    info: { title, version, description: DESCRIPTION.replaceAll('\n', ' ') },
    defaultContentType: 'application/json',
    servers: {
      [SERVER]: {
        host,
        pathname: '/socket.io/',
        protocol: protocol === 'https:' ? 'wss' : 'ws',
        security: [{ $ref: '#/components/securitySchemes/bearer' }],
      },
    },
    channels: Object.fromEntries(described.map(({ id, channel }) => [id, channel])),
    operations: Object.assign({}, ...described.map(({ operations }) => operations)) as Record<string, JsonSchema>,
    components: {
      schemas: { ...writer.named, Problem: problemSchema },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Sent as `auth.token` when connecting to a namespace.',
        },
      },
    },
  };
}

function describeNamespace(definition: NamespaceDefinition, writer: SchemaWriter) {
  const id = definition.name.slice(1);
  const messages: Record<string, Message> = {};
  const operations: Record<string, JsonSchema> = {};
  const channel = { $ref: `#/channels/${id}` };
  const add = (key: string, message: Message): Reference => {
    messages[key] = message;
    return { $ref: `#/channels/${id}/messages/${key}` };
  };

  for (const [name, event] of Object.entries({ ...definition.clientEvents, [renewal.name]: renewal })) {
    const key = keyOf(name);
    const { summary } = event;
    const message = add(key, { name, summary, payload: writer.write(event.payload, 'input') });
    const answer = add(`${key}.ack`, {
      name: `${name} (acknowledgement)`,
      summary: 'Done, or why not.',
      payload: acknowledgement(event, writer),
    });
    const reply = { channel, messages: [answer] };
    operations[`${id}.${key}`] = { action: 'receive', channel, summary, messages: [message], reply };
  }

  const spoken: [string, string, JsonSchema][] = [
    ...Object.entries<ServerEvent>({ ...definition.serverEvents, ...standardServerEvents }).map(
      ([name, { summary, payload }]): [string, string, JsonSchema] => [name, summary, writer.write(payload, 'output')],
    ),
    [PROBLEM_EVENT, 'An event without acknowledgement callback failed.', failure],
  ];
  for (const [name, summary, payload] of spoken) {
    // What is said in both directions under one name is two messages.
    const key = keyOf(name in definition.clientEvents ? `${name}:said` : name);
    const message = add(key, { name, summary, payload });
    operations[`${id}.${key}`] = { action: 'send', channel, summary, messages: [message] };
  }

  const { name, summary } = definition;
  return {
    id,
    operations,
    channel: {
      address: name,
      title: name,
      description: summary,
      servers: [{ $ref: `#/servers/${SERVER}` }],
      messages,
    } satisfies Channel,
  };
}

/** Keys of the document may have no colon. */
function keyOf(event: string): string {
  return event.replaceAll(':', '.');
}

const failure: JsonSchema = {
  type: 'object',
  required: ['event', 'error'],
  properties: { event: { type: 'string', description: 'What the client sent.' }, error: PROBLEM },
};

function acknowledgement(
  { acknowledgement: schema }: Pick<ClientEvent, 'acknowledgement'>,
  writer: SchemaWriter,
): JsonSchema {
  const { required = [], properties = {} } = schema ? writer.write(schema, 'output') : {};
  return {
    oneOf: [
      {
        type: 'object',
        required: ['ok', ...(required as string[])],
        properties: { ok: { const: true }, ...(properties as JsonSchema) },
      },
      { type: 'object', required: ['ok', 'error'], properties: { ok: { const: false }, error: PROBLEM } },
    ],
  };
}
