import { WeftError } from '@weft/core'
import type { Beacon } from '../beacon/beacon.ts'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, textOf, timeOf, tupleOf } from '../codec/strict-values.ts'
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
  /** Entries that have a position by beacon. */
  readonly placed: number
  /** The newest beacon of an earlier epoch; undefined before the first. */
  readonly beacon: Beacon | undefined
  /** 32 bytes: the name of the inputs of this epoch's beacon, which were agreed on with the map; undefined where none is made. */
  readonly inputs: Uint8Array | undefined
}

/** Members that a map may have. */
const MAX_MEMBERS = 100_000
const VERSION = 2
const MAX_BODY = 256

export function encodeMapBody(body: MapBody): Uint8Array {
  const { network, epoch, root, count, signedAt, placed, beacon, inputs } = body
  const newest = beacon === undefined ? null : [beacon.epoch, beacon.value, beacon.previous]
  return encodeCanonical([VERSION, network, epoch, root, count, signedAt, placed, newest, inputs ?? null])
}

/** @throws WeftError E_MAP_MALFORMED */
export function decodeMapBody(bytes: Uint8Array): MapBody {
  const value = decodeCanonical(bytes, MAX_BODY, refuse)
  if (Array.isArray(value) && value[0] === 1)
    throw refuse('it is of version 1, which named no beacon; this is version 2')
  const tuple = tupleOf(value, 'body', 9, refuse)
  const [version, network, number, root, entries, signedAt, placed, beacon, inputs] = tuple
  integerOf(version, 'version', VERSION, VERSION, refuse)
  const epoch = integerOf(number, 'epoch', 0, MAX_EPOCH, refuse)
  const count = integerOf(entries, 'count', 1, MAX_MEMBERS, refuse)
  return {
    network: textOf(network, 'network', NETWORK_ID, 33, refuse),
    epoch,
    root: bytesOf(root, 'root', 32, refuse),
    count,
    signedAt: timeOf(signedAt, 'signedAt', refuse),
    placed: integerOf(placed, 'placed', 0, count, refuse),
    beacon: beacon === null ? undefined : beaconOf(beacon, epoch),
    inputs: inputs === null ? undefined : bytesOf(inputs, 'inputs', 32, refuse),
  }
}

function beaconOf(field: unknown, mapEpoch: number): Beacon {
  const [number, value, previous] = tupleOf(field, 'beacon', 3, refuse)
  const epoch = integerOf(number, 'beacon.epoch', 0, mapEpoch - 1, refuse)
  return {
    epoch,
    value: bytesOf(value, 'beacon.value', 32, refuse),
    previous: integerOf(previous, 'beacon.previous', -1, epoch - 1, refuse),
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_MAP_MALFORMED',
    cause: `The body of a map cannot be used: ${why}.`,
    fix: 'The node that made it has to follow docs/specs/map.md; update the older of the two sides.',
  })
}
