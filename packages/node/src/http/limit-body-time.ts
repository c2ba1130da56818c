import type { FastifyRequest } from 'fastify'

/** ms within which a JSON body (at most 64 KiB) has to be here. */
const BODY_TIMEOUT_MS = 10_000

/** Cuts off a client that sends its small body drop by drop. */
export function limitBodyTime({ raw }: FastifyRequest, timeoutMs: number = BODY_TIMEOUT_MS): void {
  if (raw.complete || (raw.headers['content-length'] === undefined && raw.headers['transfer-encoding'] === undefined))
    return
  const timer = setTimeout(() => raw.destroy(), timeoutMs)
  timer.unref()
  raw.once('close', () => clearTimeout(timer))
  raw.once('end', () => clearTimeout(timer))
}
