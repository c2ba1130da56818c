import { WeftError } from '@weft/core'
import type { SignedMap } from '@weft/wire'
import { votesToQuorum } from '../admission/certificate.ts'
import { epochAt, epochStart } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { MapBody } from './map-body.ts'

/** A signed map from anywhere, its body parsed, and what the receiver holds. */
interface MapCase {
  readonly network: Network
  readonly map: SignedMap
  readonly body: MapBody
  /** Epoch of the map that is held. */
  readonly heldEpoch: number | undefined
  /** ms since the Unix epoch */
  readonly now: number
}

/** A map is refused for good when nothing newer came for this long: ms, 14 days (docs/specs/map.md, Believing it). */
export const MAP_MAX_AGE_MS = 14 * 24 * 3_600_000

/** One condition under which a node believes a signed map. Its entries are checked against the root apart. */
export interface MapCheck {
  readonly name: string
  /** @throws WeftError */
  run(received: MapCase): void
}

const networkOfMap: MapCheck = {
  name: 'network',
  run({ network, body }) {
    if (body.network === network.id) return
    throw new WeftError({
      code: 'E_NETWORK_MISMATCH',
      cause: `A map of the network ${body.network} came; this is ${network.id}.`,
      fix: 'Start the node with the network file of the network that it shall belong to.',
    })
  },
}

const newer: MapCheck = {
  name: 'newer',
  run({ body, heldEpoch }) {
    if (heldEpoch === undefined || body.epoch > heldEpoch) return
    throw new WeftError({
      code: 'E_MAP_OLD',
      cause: `A map of epoch ${body.epoch} came; the one that is held is of epoch ${heldEpoch}.`,
      fix: 'Nothing to do: an older map never replaces a newer one.',
    })
  },
}

const notFuture: MapCheck = {
  name: 'not-future',
  run({ network, body, now }) {
    const { clockToleranceMs, mapEpochMs } = network.file
    const latest = epochAt(network.file, now + clockToleranceMs)
    const start = epochStart(network.file, body.epoch)
    const inEpoch = body.signedAt >= start - clockToleranceMs && body.signedAt <= start + mapEpochMs + clockToleranceMs
    if (body.epoch <= latest && inEpoch) return
    throw new WeftError({
      code: 'E_MAP_FUTURE',
      cause: `A map of epoch ${body.epoch}, signed at ${body.signedAt}, came; by the clock of this node it is epoch ${epochAt(network.file, now)}.`,
      fix: 'Set the clock of this machine right, e.g. with `timedatectl set-ntp true`.',
    })
  },
}

const notAncient: MapCheck = {
  name: 'not-ancient',
  run({ body, now }) {
    if (now - body.signedAt <= MAP_MAX_AGE_MS) return
    throw new WeftError({
      code: 'E_MAP_EXPIRED',
      cause: `The map of epoch ${body.epoch} was signed more than ${MAP_MAX_AGE_MS / 86_400_000} days ago.`,
      fix: 'Check the clock of this machine; if it is right, the network has no working quorum of validators any more.',
    })
  },
}

const quorum: MapCheck = {
  name: 'quorum',
  run({ network, map, body }) {
    const term = network.termAt(body.epoch)
    const valid = votesToQuorum(term, 'map', map.body, map.signatures)
    if (valid.length >= term.quorum) return
    throw new WeftError({
      code: 'E_MAP_QUORUM',
      cause: `The map of epoch ${body.epoch} has ${valid.length} valid signatures of distinct validators; ${term.quorum} are needed.`,
      fix: 'Nothing to do: only a map that a quorum signed is taken.',
    })
  },
}

/** In order: signatures last, as they cost the most. */
export const MAP_CHECKS: readonly MapCheck[] = [networkOfMap, newer, notFuture, notAncient, quorum]
