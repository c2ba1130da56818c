import { type Clock, equalBytes, throwIfAborted, wait } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { SignedMap } from '@weft/wire'
import { votesToQuorum } from '../admission/certificate.ts'
import { epochStart } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import { decodeMapBody } from './map-body.ts'

export interface MapPublicationInit {
  readonly network: Network
  readonly self: DidKey
  readonly clock: Clock
}

/** Parts of an epoch between the turns of two validators to publish. */
const STEP = 1 / 20

/**
 * Who brings out a signed map that all validators hold: the first proposer of its epoch at once, each after it a step
 * later, unless the map was heard by then. So one that is down costs a step and no epoch, and no map is brought out by all.
 */
export class MapPublication {
  readonly #init: MapPublicationInit
  #held: SignedMap | undefined
  #heard = new AbortController()

  constructor(init: MapPublicationInit) {
    this.#init = init
  }

  /** True when it is this validator's turn and nobody was heard; false once somebody was, or the epoch is over. @throws WeftError E_ABORTED */
  async awaitTurn(map: SignedMap, signal: AbortSignal): Promise<boolean> {
    const { network, self, clock } = this.#init
    const { epoch } = decodeMapBody(map.body)
    const { validators } = network.termAt(epoch)
    const { length } = validators
    const index = validators.findIndex(({ id }) => id === self)
    const rank = (((index - epoch) % length) + length) % length
    const heard = new AbortController()
    this.#held = map
    this.#heard = heard
    const ms = rank * network.file.mapEpochMs * STEP
    if (clock.now() + ms >= epochStart(network.file, epoch + 1) && rank > 0) return false
    if (ms > 0) await wait(clock, ms, AbortSignal.any([signal, heard.signal])).catch(() => {})
    throwIfAborted(signal)
    return !heard.signal.aborted
  }

  /** Whether somebody brought out the map that this validator holds; nobody else needs to, then. */
  isThatOf(map: SignedMap): boolean {
    const { network } = this.#init
    if (this.#held === undefined || !equalBytes(map.body, this.#held.body)) return false
    const term = network.termAt(decodeMapBody(map.body).epoch)
    if (votesToQuorum(term, 'map', map.body, map.signatures).length < term.quorum) return false
    this.#heard.abort()
    return true
  }
}
