import { WeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { HolderLimits } from './holder-limits.ts'

type StreamLimits = Pick<HolderLimits, 'streams' | 'strangerStreams' | 'streamsPerMember' | 'streamsPerStranger'>

/**
 * The places for shard streams. Identities outside of the map cost nothing, so all of them together get a part only:
 * however many come, members find a place.
 */
export class StreamPlaces {
  readonly #limits: StreamLimits
  readonly #isMember: (peer: DidKey) => boolean
  readonly #perPeer = new Map<DidKey, number>()
  #taken = 0
  #byStrangers = 0

  constructor(limits: StreamLimits, isMember: (peer: DidKey) => boolean) {
    this.#limits = limits
    this.#isMember = isMember
  }

  /** Takes a place; the returned function gives it back, once. @throws WeftError E_BUSY */
  take(peer: DidKey): () => void {
    const { streams, strangerStreams, streamsPerMember, streamsPerStranger } = this.#limits
    const stranger = !this.#isMember(peer)
    const own = this.#perPeer.get(peer) ?? 0
    const most = stranger ? streamsPerStranger : streamsPerMember
    if (own >= most) throw busy(`this peer has ${own} shard streams open, and may have ${most}`)
    if (stranger && this.#byStrangers >= strangerStreams) {
      throw busy(`all ${strangerStreams} places for nodes outside of the map are taken`)
    }
    if (this.#taken >= streams) throw busy(`all ${streams} places are taken`)
    const count = (by: 1 | -1): void => {
      this.#taken += by
      if (stranger) this.#byStrangers += by
      const left = (this.#perPeer.get(peer) ?? 0) + by
      if (left === 0) this.#perPeer.delete(peer)
      else this.#perPeer.set(peer, left)
    }
    count(1)
    let given = false
    return () => {
      if (!given) count(-1)
      given = true
    }
  }
}

function busy(why: string): WeftError {
  return new WeftError({
    code: 'E_BUSY',
    cause: `The holder takes no more shard streams: ${why}.`,
    fix: 'Use fewer transfers at once, or try again later.',
    retryable: true,
  })
}
