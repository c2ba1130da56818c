import { WeftError } from '@weft/core'
import { MAX_CERTIFICATE_BODY } from '../admission/certificate-body.ts'
import { METHODS } from '@weft/wire'
import type { Rpc } from '../rpc.ts'
import type { SignedMembership } from './signed-membership.ts'

/** Bytes of entries in one page: the answer's limit less room for its framing. */
const PAGE = METHODS['map.entries'].maxResponse - MAX_CERTIFICATE_BODY - 1024
/** Bytes around one entry in the answer: its tag and length. */
const ENTRY_OVERHEAD = 4

/** Serves the held map to whoever asks; they verify it. */
export function serveMap(rpc: Pick<Rpc, 'handle'>, membership: SignedMembership): void {
  rpc.handle('map.head', async () => {
    const map = membership.head()
    return map === undefined ? {} : { map }
  })
  rpc.handle('map.entries', async ({ root, offset }) => {
    const entries = membership.entries(root)
    if (entries === undefined) {
      throw new WeftError({
        code: 'E_MAP_ROOT_UNKNOWN',
        cause: 'This node does not hold a map with that root.',
        fix: 'Ask for the head of the map again, or ask another node.',
        retryable: true,
      })
    }
    return { entries: pageOf(entries, offset) }
  })
}

/** As many entries from `offset` on as fit one answer. */
export function pageOf(entries: readonly Uint8Array[], offset: number): Uint8Array[] {
  const page: Uint8Array[] = []
  let room = PAGE
  for (let at = offset; at < entries.length; at++) {
    const entry = entries[at] as Uint8Array
    room -= entry.length + ENTRY_OVERHEAD
    if (room < 0) break
    page.push(entry)
  }
  return page
}
