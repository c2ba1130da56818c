import { type Clock, equalBytes } from '@weft/core'
import type { SignedMap } from '@weft/wire'
import { type MapBody, decodeMapBody } from '../map/map-body.ts'
import { MAP_CHECKS } from '../map/map-checks.ts'
import type { Network } from '../network/network.ts'

/**
 * Believes in the heads of maps that nodes tell of in one lookup, or says why not. The signatures over the same body
 * are looked at once: any quorum of them is as good.
 */
export class HeadChecks {
  readonly #network: Network
  readonly #clock: Clock
  readonly #believed: { readonly bytes: Uint8Array; readonly body: MapBody }[] = []

  constructor(network: Network, clock: Clock) {
    this.#network = network
    this.#clock = clock
  }

  /** @throws WeftError of the first check of a map that failed (docs/specs/map.md, Believing it) */
  verify(map: SignedMap): MapBody {
    const known = this.#believed.find(({ bytes }) => equalBytes(bytes, map.body))
    if (known !== undefined) return known.body
    const body = decodeMapBody(map.body)
    const now = this.#clock.now()
    for (const check of MAP_CHECKS) check.run({ network: this.#network, map, body, heldEpoch: undefined, now })
    this.#believed.push({ bytes: map.body, body })
    return body
  }
}
