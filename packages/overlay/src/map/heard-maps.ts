import { toHex } from '@weft/core'
import { sha256 } from '@weft/crypto'
import type { SignedMap } from '@weft/wire'

/** Maps that are remembered; older ones than the one that is held are refused anyway. */
const REMEMBERED = 8

/**
 * What of the topic `map` this node passed on. The messages of one map can be written in many ways (other votes, another
 * order, other changes that a node without the map before cannot judge), which would each go round the network again.
 */
export class HeardMaps {
  readonly #bare = new Set<string>()
  readonly #changed = new Set<string>()

  /** Whether this is the first message of that map that is passed on, with changes or without; from now on it was. */
  isFirst(map: Pick<SignedMap, 'body'>, hasChanges: boolean): boolean {
    const heard = hasChanges ? this.#changed : this.#bare
    const name = toHex(sha256(map.body))
    if (heard.has(name)) return false
    heard.add(name)
    if (heard.size > REMEMBERED) for (const oldest of heard.values().take(1)) heard.delete(oldest)
    return true
  }
}
