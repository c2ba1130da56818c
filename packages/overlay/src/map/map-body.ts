import { WeftError } from '@weft/core'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, textOf, tupleOf } from '../codec/strict-values.ts'
import { MAX_EPOCH } from '../network/epoch.ts'
import { NETWORK_ID } from '../network/network-id.ts'

/** What the validators sign once per map epoch (purpose `map`; docs/specs/map.md). */
export interface MapBody {
  readonly network: string
  readonly epoch: number
  /** 32 bytes: the Merkle root (RFC 9162) over the entries. */
  readonly root: Uint8Array
  /** Number of entries. */
  readonly count: number
  /** The leader's clock, ms since the Unix epoch. */
  readonly signedAt: number
}

/** Members that a map may have. */
const MAX_MEMBERS = 100_000
const VERSION = 1
const MAX_BODY = 256

export function encodeMapBody(body: MapBody): Uint8Array {
  return encodeCanonical([VERSION, body.network, body.epoch, body.root, body.count, body.signedAt])
}

/** @throws WeftError E_MAP_MALFORMED */
export function decodeMapBody(bytes: Uint8Array): MapBody {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_BODY, refuse), 'body', 6, refuse)
  const [version, network, epoch, root, count, signedAt] = tuple
  integerOf(version, 'version', VERSION, VERSION, refuse)
  return {
    network: textOf(network, 'network', NETWORK_ID, 33, refuse),
    epoch: integerOf(epoch, 'epoch', 0, MAX_EPOCH, refuse),
    root: bytesOf(root, 'root', 32, refuse),
    count: integerOf(count, 'count', 1, MAX_MEMBERS, refuse),
    signedAt: integerOf(signedAt, 'signedAt', 0, Number.MAX_SAFE_INTEGER, refuse),
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_MAP_MALFORMED',
    cause: `The body of a map cannot be used: ${why}.`,
    fix: 'The node that made it has to follow docs/specs/map.md; update the older of the two sides.',
  })
}
