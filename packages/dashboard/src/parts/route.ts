import { useSyncExternalStore } from 'react'

export type Route =
  | { readonly page: 'overview' }
  | { readonly page: 'network' }
  | { readonly page: 'route' }
  | { readonly page: 'files' }
  | { readonly page: 'file'; readonly object: string }

/** Pages live in the fragment, so that the daemon serves one document and no address leaves the machine. */
export function parseRoute(hash: string): Route {
  const [, page, object] = hash.replace(/^#/, '').split('/')
  if (page === 'network') return { page: 'network' }
  if (page === 'route') return { page: 'route' }
  if (page === 'files')
    return object === undefined || object === ''
      ? { page: 'files' }
      : { page: 'file', object: decodeURIComponent(object) }
  return { page: 'overview' }
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(
    (changed) => {
      window.addEventListener('hashchange', changed)
      return () => window.removeEventListener('hashchange', changed)
    },
    () => window.location.hash,
  )
  return parseRoute(hash)
}
