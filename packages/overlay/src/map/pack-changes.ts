import { WeftError } from '@weft/core'
import { MapChangesSchema } from '@weft/wire'
import { MAX_UNPACKED, packMessage } from './packed-message.ts'
import type { SignedMembership } from './signed-membership.ts'

/**
 * What changed between two maps, packed.
 * @param maxBytes of it before it is packed
 * @throws WeftError E_MAP_CHANGES_UNKNOWN
 */
export function packChanges(
  membership: Pick<SignedMembership, 'changes'>,
  from: Uint8Array,
  to: Uint8Array,
  maxBytes = MAX_UNPACKED,
): Uint8Array {
  const changes = membership.changes(from, to)
  if (changes !== undefined) {
    const { removed, entries } = changes
    const bytes = [...removed, ...entries].reduce((sum, { length }) => sum + length + 4, 0)
    if (bytes <= maxBytes) return packMessage(MapChangesSchema, { removed: [...removed], entries: [...entries] })
  }
  throw new WeftError({
    code: 'E_MAP_CHANGES_UNKNOWN',
    cause: 'This node does not know what changed since the map with that root, or it is too much for an answer.',
    fix: 'Nothing to do: the maps are compared, or the newer one is fetched whole.',
    retryable: true,
  })
}
