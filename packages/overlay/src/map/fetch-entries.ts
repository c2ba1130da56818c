import { type Clock, WeftError, throwIfAborted } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import { METHODS } from '@weft/wire'
import { MAX_CERTIFICATE_BODY } from '../admission/certificate-body.ts'
import type { Rpc } from '../rpc.ts'
import type { MapBody } from './map-body.ts'

/** ms that a source has for all its pages, and for each page that it has sent. */
const ALLOWED_MS = 10_000
const ALLOWED_PER_PAGE_MS = 2_000
/** Bytes of entries in a page that is not the last: half an answer. Whoever sends less is making it last. */
const FULL_PAGE = METHODS['map.entries'].maxResponse / 2

/**
 * Fetches all entries of a map from one node, page by page. They are not verified yet; no more are taken than the map
 * counts, and a source that is slow or sends short pages is given up.
 * @throws WeftError E_MAP_ENTRIES, E_MAP_SLOW and what the call throws
 */
export async function fetchEntries(
  { rpc, clock }: { readonly rpc: Pick<Rpc, 'call'>; readonly clock: Clock },
  from: DidKey,
  { root, count }: MapBody,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = []
  let deadline = clock.monotonic() + ALLOWED_MS
  while (entries.length < count) {
    throwIfAborted(signal)
    if (clock.monotonic() > deadline) throw tooSlow(from, entries.length, count)
    const page = await rpc.call(from, 'map.entries', { root, offset: entries.length }, { signal })
    if (!isPage(page.entries, count - entries.length)) {
      throw new WeftError({
        code: 'E_MAP_ENTRIES',
        cause: `${shortId(from)} sent a page of ${page.entries.length} entries from ${entries.length} on, of a map of ${count}.`,
        fix: 'Nothing to do: they are asked of another node.',
        retryable: true,
      })
    }
    entries.push(...page.entries)
    deadline += ALLOWED_PER_PAGE_MS
  }
  return entries
}

/** Whether entries are as many as fit a page, or all of those that are left. */
function isPage(entries: readonly Uint8Array[], left: number): boolean {
  if (entries.length === 0 || entries.length > left) return false
  if (entries.some(({ length }) => length > MAX_CERTIFICATE_BODY)) return false
  return entries.length === left || entries.reduce((bytes, { length }) => bytes + length, 0) >= FULL_PAGE
}

function tooSlow(from: DidKey, fetched: number, count: number): WeftError {
  return new WeftError({
    code: 'E_MAP_SLOW',
    cause: `${shortId(from)} has sent ${fetched} of ${count} entries of a map and takes too long for them.`,
    fix: 'Nothing to do: they are asked of another node.',
    retryable: true,
  })
}
