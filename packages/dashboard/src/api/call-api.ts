import type { Fault } from '@weft/core'
import { ApiError, BROKEN_OFF, DAEMON_GONE } from './api-error.ts'

/** One request to the daemon's own API, and the JSON of its answer. @throws ApiError, for an answer that does not come whole as well; the signal's reason */
export async function callApi<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, init)
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    throw new ApiError(0, DAEMON_GONE)
  }
  const { ok, status } = response
  let body: { error?: Fault }
  try {
    body = (await response.json()) as { error?: Fault }
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    if (ok) throw new ApiError(status, BROKEN_OFF)
    body = {}
  }
  if (ok) return body as T
  throw new ApiError(
    status,
    body.error ?? { code: 'E_HTTP', cause: `The daemon answered ${status}.`, fix: 'See the daemon’s log.' },
  )
}
