import { once } from 'node:events'
import type { FastifyReply } from 'fastify'
import { freeNow } from '@weft/core'
import type { ByteRange, ObjectReader } from '@weft/storage'
import { SECURITY_HEADERS } from './security-headers.ts'

/**
 * Streams an object at the pace of the client, and frees each piece once it is sent: nobody else has it. What fails before the first byte is an error answer like any other; what
 * fails later cuts the connection, so that a short body is never taken for the whole.
 * @param object its id, for the header
 * @param options `range`: the part of it that the body is; undefined for the whole
 */
export function sendObject(
  reply: FastifyReply,
  { size, body }: ObjectReader,
  object: string,
  { range, signal }: { readonly range: ByteRange | undefined; readonly signal: AbortSignal },
): Promise<FastifyReply> {
  const about = { 'accept-ranges': 'bytes', ...(object === '' ? {} : { 'weft-object': object }) }
  if (range === undefined) return sendStream(reply, body, { ...about, 'content-length': size }, signal)
  const { offset } = range
  const length = Math.min(range.length, size - offset)
  const part = `bytes ${offset}-${offset + length - 1}/${size}`
  const headers = { ...about, 'content-range': part, 'content-length': length }
  return sendStream(reply, body, headers, signal, 206)
}

/** The same of a stream of any length. Where that is not told, its end is the last chunk of the answer (RFC 9112, section 7.1). */
export async function sendStream(
  reply: FastifyReply,
  body: AsyncIterable<Uint8Array>,
  headers: Readonly<Record<string, string | number>>,
  signal: AbortSignal,
  status = 200,
): Promise<FastifyReply> {
  const chunks = body[Symbol.asyncIterator]()
  let next = await chunks.next()
  reply.hijack()
  const response = reply.raw
  try {
    response.writeHead(status, {
      ...SECURITY_HEADERS,
      'content-type': 'application/octet-stream',
      ...headers,
    })
    while (next.done !== true) {
      const piece = next.value
      if (!response.write(piece, () => freeNow(piece))) await once(response, 'drain', { signal })
      signal.throwIfAborted()
      next = await chunks.next()
    }
    response.end()
  } catch {
    // Storage has told the reason as the end of the transfer; here is nobody left to tell it to.
    response.destroy()
    await chunks.return?.()
  }
  return reply
}
