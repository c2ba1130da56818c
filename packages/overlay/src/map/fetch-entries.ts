import { WeftError, throwIfAborted } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import { MAX_CERTIFICATE_BODY } from '../admission/certificate-body.ts'
import type { Rpc } from '../rpc.ts'
import type { MapBody } from './map-body.ts'

/**
 * Fetches all entries of a map from one node, page by page. They are not verified yet; no more are taken than the map
 * counts. @throws WeftError E_MAP_ENTRIES and what the call throws
 */
export async function fetchEntries(
  rpc: Pick<Rpc, 'call'>,
  from: DidKey,
  { root, count }: MapBody,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = []
  while (entries.length < count) {
    throwIfAborted(signal)
    const page = await rpc.call(from, 'map.entries', { root, offset: entries.length }, { signal })
    const tooMany = entries.length + page.entries.length > count
    if (page.entries.length === 0 || tooMany || page.entries.some(({ length }) => length > MAX_CERTIFICATE_BODY)) {
      throw new WeftError({
        code: 'E_MAP_ENTRIES',
        cause: `${shortId(from)} sent a page of ${page.entries.length} entries from ${entries.length} on, of a map of ${count}.`,
        fix: 'Nothing to do: they are asked of another node.',
        retryable: true,
      })
    }
    entries.push(...page.entries)
  }
  return entries
}
