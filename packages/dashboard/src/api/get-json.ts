import { ApiError, DAEMON_GONE, SIGNED_OUT } from './api-error.ts'
import type { Fault } from './types.ts'

/** GET of the daemon's own API. @throws ApiError */
export async function getJson<T>(path: string, signal: AbortSignal): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, { signal, headers: { accept: 'application/json' } })
  } catch (error) {
    if (signal.aborted) throw error
    throw new ApiError(0, DAEMON_GONE)
  }
  if (response.status === 401) throw new ApiError(401, SIGNED_OUT)
  const body = (await response.json().catch(() => ({}))) as { error?: Fault }
  if (!response.ok) {
    throw new ApiError(
      response.status,
      body.error ?? { code: 'E_HTTP', cause: `The daemon answered ${response.status}.`, fix: 'See the daemon’s log.' },
    )
  }
  return body as T
}
