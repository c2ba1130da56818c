import type { FastifyReply, FastifyRequest } from 'fastify'

/** ms that a client has to notice that its request was answered and to stop sending. */
const LINGER_MS = 5_000

/**
 * After an answer that came before the whole body was read: closing at once would reset the connection and the client
 * would never see the answer (RFC 9112, section 9.6). Node reads on and drops; this bounds for how long.
 */
export function endUnreadBody({ raw: request }: FastifyRequest, { raw: response }: FastifyReply): void {
  response.once('finish', () => {
    if (request.complete) return
    const timer = setTimeout(() => request.socket.destroy(), LINGER_MS)
    timer.unref()
    request.once('end', () => clearTimeout(timer))
    request.socket.once('close', () => clearTimeout(timer))
  })
}
