import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { type Logger, WeftError } from '@weft/core'
import { apiErrorOf, statusOf } from './api-error.ts'
import { type Authentication, authenticate } from './authenticate.ts'
import { endUnreadBody } from './end-unread-body.ts'
import { limitBodyTime } from './limit-body-time.ts'
import type { Listeners } from './listeners.ts'
import { ANYONE, type Principal } from './principal.ts'
import { allowedHosts, isAllowedHost } from './request-headers.ts'
import type { RequestCounters } from './request-counters.ts'
import type { Call, Route } from './route.ts'
import { allows } from './scopes.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

/** Bytes of a JSON body. */
const MAX_JSON_BODY = 64 * 1024
/** Characters of one path parameter: an id has 56. */
const MAX_PARAMETER = 128

export interface ApiOptions {
  readonly routes: readonly Route[]
  readonly listeners: Listeners
  readonly authentication: Authentication
  /** Values of `Host` beside the loopback ones. */
  readonly moreHosts: readonly string[]
  readonly counters: RequestCounters
  readonly logger: Logger
  /** Files of the dashboard: answers what no route matched, or says false. */
  readonly staticFile: (path: string, reply: FastifyReply) => boolean
}

/** Puts the routes on fastify behind the doors: host check, authentication, scope, limits, errors, headers, counters. */
export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const { routes, listeners, authentication, counters, logger } = options
  const hosts = allowedHosts(authentication.port, options.moreHosts)
  const app = fastify({
    logger: false,
    bodyLimit: MAX_JSON_BODY,
    routerOptions: { maxParamLength: MAX_PARAMETER },
    exposeHeadRoutes: false,
    frameworkErrors: (error, _, reply) => sendError(reply, apiErrorOf(error)),
    // Schemas are zod's, checked by the routes themselves: fastify's compilers (ajv, 8 MB) are never loaded.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
  })

  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(SECURITY_HEADERS)
    // First of all: who is refused at a door may not keep its connection by sending on.
    endUnreadBody(request, reply)
    if (listeners.entranceOf(request.raw) === 'tcp') requireHost(request, hosts, authentication.port)
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched'
    counters.count(request.method, route, reply.statusCode, reply.elapsedTime / 1000)
    // The route and never the URL: a query may hold a reference, and that holds a key.
    logger.debug('request', {
      method: request.method,
      route,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    })
  })
  app.setErrorHandler((error, request, reply) => {
    const fault = apiErrorOf(error)
    if (fault.code === 'E_INTERNAL')
      logger.error('a request failed', { route: request.routeOptions.url, error: String(fault.origin) })
    sendError(reply, fault)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.raw.url?.split('?')[0] ?? '/'
    if (request.method === 'GET' && !path.startsWith('/api/') && options.staticFile(path, reply)) return
    sendError(reply, routeUnknown(request, routes))
  })

  for (const route of routes.filter(({ upload }) => upload === undefined)) addRoute(app, route, options)
  await app.register(async (uploads) => {
    uploads.removeAllContentTypeParsers()
    uploads.addContentTypeParser('*', (_, __, done) => done(null))
    for (const route of routes.filter(({ upload }) => upload !== undefined)) addRoute(uploads, route, options)
  })
  await app.ready()
  return app
}

function noCompiler(): never {
  throw new Error('a route was given a schema of fastify; declare it with defineRoute')
}

function addRoute(app: FastifyInstance, route: Route, { listeners, authentication }: ApiOptions): void {
  const principals = new WeakMap<FastifyRequest, Principal>()
  app.route({
    method: route.method,
    url: route.url,
    onRequest: async (request) => {
      const entrance = listeners.entranceOf(request.raw)
      if (route.scope === 'public') {
        principals.set(request, ANYONE)
      } else {
        const principal = authenticate(request, entrance, authentication)
        if (!allows(principal.grants, route.scope)) throw scopeMissing(principal, route.scope)
        principals.set(request, principal)
      }
      if (route.upload === undefined) limitBodyTime(request)
    },
    handler: async (request, reply) => {
      const gone = new AbortController()
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) gone.abort(clientGone())
      })
      const caller = principals.get(request) as Principal
      const call: Call = { caller, signal: gone.signal, request, reply }
      const answer = await route.run(call)
      if (reply.sent) return reply
      return reply.type('application/json').send(JSON.stringify(answer))
    },
  })
}

function sendError(reply: FastifyReply, error: WeftError): void {
  if (reply.sent || reply.raw.headersSent) {
    // Half an answer is out: the client has to notice that it is short.
    reply.raw.destroy()
    return
  }
  const status = statusOf(error)
  if (status === 401) void reply.header('www-authenticate', 'Bearer realm="weft"')
  if (error.retryable && status === 503) void reply.header('retry-after', '1')
  void reply
    .code(status)
    .headers(SECURITY_HEADERS)
    .type('application/json')
    .send(JSON.stringify({ error: error.toJSON() }))
}

function clientGone(): WeftError {
  return new WeftError({
    code: 'E_ABORTED',
    cause: 'The client closed the connection.',
    fix: 'Send the request again.',
    retryable: true,
  })
}

/** Node shows the first of several Host headers, a proxy may take the last: RFC 9112, section 3.2 wants them refused. */
function requireHost(request: FastifyRequest, allowed: ReadonlySet<string>, port: number): void {
  const { host } = request.headers
  const given = request.raw.headersDistinct['host']?.length
  if (given === 1 && isAllowedHost(host, allowed)) return
  throw new WeftError({
    code: 'E_HOST_REFUSED',
    cause: `This API does not answer for the host '${(host ?? '').slice(0, 64)}'.`,
    fix: `Use http://127.0.0.1:${port}, or add the host to api.allowed_hosts.`,
  })
}

function scopeMissing(principal: Principal, scope: string): WeftError {
  return new WeftError({
    code: 'E_SCOPE_MISSING',
    cause: `The ${principal.kind} '${principal.name}' may not do this: it lacks the scope ${scope}.`,
    fix: `Make a token that has it: weft token create NAME --scopes ${scope}.`,
    details: { scope },
  })
}

function routeUnknown(request: FastifyRequest, routes: readonly Route[]): WeftError {
  const path = request.raw.url?.split('?')[0]
  const methods = routes.filter(({ url }) => url === path).map(({ method }) => method)
  if (methods.length > 0) {
    return new WeftError({
      code: 'E_METHOD_NOT_ALLOWED',
      cause: `${request.method} is not possible here.`,
      fix: `Use ${methods.join(' or ')}.`,
      details: { methods },
    })
  }
  return new WeftError({
    code: 'E_ROUTE_UNKNOWN',
    cause: 'There is nothing at this path.',
    fix: 'See /api/v1/openapi.json for the routes of this API.',
  })
}
