import type { Fault } from '@weft/core'
import { ApiError, DAEMON_GONE } from './api-error.ts'

/** One request to the daemon's own API, and the JSON of its answer. @throws ApiError; the signal's reason */
export async function callApi<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, init)
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    throw new ApiError(0, DAEMON_GONE)
  }
  const body = (await response.json().catch(() => ({}))) as { error?: Fault }
  if (response.ok) return body as T
  throw new ApiError(
    response.status,
    body.error ?? { code: 'E_HTTP', cause: `The daemon answered ${response.status}.`, fix: 'See the daemon’s log.' },
  )
}
