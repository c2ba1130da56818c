import type { FastifyReply, FastifyRequest } from 'fastify'
import type * as z from 'zod'
import { requestInvalid } from './api-error.ts'
import type { Principal } from './principal.ts'
import { requestFault } from './request-fault.ts'
import type { Scope } from './scopes.ts'

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

/** What a handler gets besides what it declared. */
export interface Call {
  readonly caller: Principal
  /** Fires when the client went away or the daemon stops. */
  readonly signal: AbortSignal
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

interface RouteHead {
  readonly method: Method
  /** In fastify's form: `/api/v1/peers/:id/ping`. */
  readonly url: string
  /** `public` wants only an allowed Host. */
  readonly scope: Scope | 'public'
  /** One sentence, for OpenAPI. */
  readonly summary: string
}

/** A body that is no JSON document: its media type and what it is. */
export interface RawBody {
  readonly mediaType: string
  readonly description: string
}

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined

export interface RouteInit<P, Q, B, R extends z.ZodType> extends RouteHead {
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** The body is streamed: the handler reads it from the request itself, without a limit. */
  readonly upload?: RawBody
  readonly response: R
  readonly handler: (
    input: { readonly params: Parsed<P>; readonly query: Parsed<Q>; readonly body: Parsed<B> },
    call: Call,
  ) => Promise<z.input<R>> | z.input<R>
}

export interface RawRouteInit<Q> extends RouteHead {
  readonly query?: Q
  readonly raw: RawBody
  /** Answers through `call.reply` itself. */
  readonly handler: (input: { readonly query: Parsed<Q> }, call: Call) => Promise<unknown>
}

/** A route with its types forgotten: what the server, OpenAPI and the tests walk over. */
export interface Route extends RouteHead {
  readonly params: z.ZodType | undefined
  readonly query: z.ZodType | undefined
  readonly body: z.ZodType | undefined
  readonly upload: RawBody | undefined
  readonly response: z.ZodType | RawBody
  /** Parses, handles, and answers with the body; undefined when the handler answered itself. */
  readonly run: (call: Call) => Promise<unknown>
}

/** Declares a route that answers with JSON: one declaration validates, types the handler, and yields OpenAPI. */
export function defineRoute<
  R extends z.ZodType,
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(init: RouteInit<P, Q, B, R>): Route {
  const { method, url, scope, summary, params, query, body, upload, response, handler } = init
  return {
    method,
    url,
    scope,
    summary,
    params,
    query,
    body,
    upload,
    response,
    run: async (call) =>
      handler(
        {
          params: parsePart('path', params, call.request.params) as Parsed<P>,
          query: parsePart('query', query, call.request.query) as Parsed<Q>,
          body: parsePart('body', body, call.request.body) as Parsed<B>,
        },
        call,
      ),
  }
}

/** Declares a route whose handler writes the answer itself: streams and pages. */
export function defineRawRoute<Q extends z.ZodType | undefined = undefined>(init: RawRouteInit<Q>): Route {
  const { method, url, scope, summary, query, raw, handler } = init
  return {
    method,
    url,
    scope,
    summary,
    query,
    response: raw,
    params: undefined,
    body: undefined,
    upload: undefined,
    run: async (call) => handler({ query: parsePart('query', query, call.request.query) as Parsed<Q> }, call),
  }
}

/** @throws WeftError E_REQUEST_INVALID; it names fields, never their values, as a reference holds a key */
function parsePart(part: string, schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return undefined
  const result = schema.safeParse(value, { error: requestFault })
  if (result.success) return result.data
  const faults = result.error.issues
    .slice(0, 4)
    .map(({ path, message }) => `${path.length === 0 ? part : `${part}.${path.join('.')}`} ${message}`)
  throw requestInvalid(
    `The request is not valid: ${faults.join('; ')}.`,
    'See /api/v1/openapi.json for what this route takes.',
  )
}
