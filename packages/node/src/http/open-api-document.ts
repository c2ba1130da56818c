import * as z from 'zod'
import { VERSION } from '../version.ts'
import type { RawBody, Route } from './route.ts'
import { SCOPES } from './scopes.ts'

type Json = Record<string, unknown>

/** The routes as OpenAPI 3.1.1, whose schemas are JSON Schema 2020-12. */
export function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Weft node', version: VERSION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [
      { url: 'http://127.0.0.1:7780', description: 'TCP, with a token; api.sock in the home takes the same without' },
    ],
    components: {
      schemas: { Error: ERROR },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: `Scopes: ${Object.entries(SCOPES)
            .map(([scope, what]) => `${scope} (${what})`)
            .join('; ')}`,
        },
      },
    },
    paths,
  }
}

const FAULT_PROPERTIES = ['code', 'cause', 'fix']
const ERROR: Json = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: [...FAULT_PROPERTIES, 'retryable', 'details'],
      properties: {
        ...Object.fromEntries(FAULT_PROPERTIES.map((property) => [property, { type: 'string' }])),
        retryable: { type: 'boolean' },
        details: { type: 'object' },
      },
    },
  },
}

function operation({ summary, scope, params, query, body, upload, response }: Route): Json {
  const content =
    upload !== undefined
      ? rawContent(upload)
      : body === undefined
        ? undefined
        : { 'application/json': { schema: schemaOf(body, 'input') } }
  return {
    summary,
    ...(scope === 'public' ? { security: [] } : { security: [{ token: [scope] }] }),
    parameters: [...parametersOf('path', params), ...parametersOf('query', query)],
    ...(content === undefined ? {} : { requestBody: { required: true, content } }),
    responses: {
      200: {
        description: 'mediaType' in response ? response.description : 'Done.',
        content:
          'mediaType' in response
            ? rawContent(response)
            : { 'application/json': { schema: schemaOf(response, 'output') } },
      },
      default: {
        description: 'Not done.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

function rawContent({ mediaType }: RawBody): Json {
  return { [mediaType]: { schema: {} } }
}

function parametersOf(where: 'path' | 'query', schema: z.ZodType | undefined): Json[] {
  if (schema === undefined) return []
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    properties?: Record<string, Json>
    required?: string[]
  }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property,
  }))
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}
