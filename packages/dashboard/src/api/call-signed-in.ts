import { ApiError, SIGNED_OUT } from './api-error.ts'
import { callApi } from './call-api.ts'
import { authorization } from './session.ts'

/** One request to the daemon's own API in the name of this tab's session. @throws ApiError; the signal's reason */
export async function callSignedIn<T>(method: 'GET' | 'POST', path: string, signal: AbortSignal): Promise<T> {
  try {
    return await callApi<T>(path, { method, signal, headers: { accept: 'application/json', ...authorization() } })
  } catch (error) {
    throw error instanceof ApiError && error.status === 401 ? new ApiError(401, SIGNED_OUT) : error
  }
}
