import type { Fault } from '@weft/core'
import type { SessionAnswer } from '@weft/node'
import { ApiError } from './api-error.ts'
import { callApi } from './call-api.ts'

const KEY = 'weft-session'

/**
 * The header that signs a request in. The secret is kept for this tab and this origin, whose port is a part of it: a
 * cookie would go to whoever listens on any other port of the host.
 */
export function authorization(): Record<string, string> {
  const session = sessionStorage.getItem(KEY)
  return session === null ? {} : { authorization: `Bearer ${session}` }
}

/**
 * Signs this tab in when it was opened by a one-use link, `/open#CODE`.
 * @returns why that did not work; undefined when it did, or when there was no link
 */
export async function openLink(): Promise<Fault | undefined> {
  const code = linkCode(location)
  if (code === undefined) return undefined
  // Out of the address bar, and out of what a reload would try again.
  history.replaceState(null, '', '/')
  try {
    const { session } = await callApi<SessionAnswer>('/open', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    })
    sessionStorage.setItem(KEY, session)
    return undefined
  } catch (error) {
    if (error instanceof ApiError) return error.fault
    return {
      code: 'E_PAGE',
      cause: String(error),
      fix: 'Allow this page to keep data in its tab, and make a new link.',
    }
  }
}

/** The code in the address of a link. */
export function linkCode({ pathname, hash }: { readonly pathname: string; readonly hash: string }): string | undefined {
  return pathname === '/open' ? /^#([A-Za-z0-9_-]{43})$/.exec(hash)?.[1] : undefined
}
