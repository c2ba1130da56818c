import { concatBytes, toBase32, utf8 } from '@weft/core'
import { fromDidKey, sha256, toDidKey } from '@weft/crypto'
import { ValidatorSet } from '../agreement/validator-set.ts'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, distinct, integerOf, listOf, textOf, tupleOf } from '../codec/strict-values.ts'
import { MAX_EPOCH } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import { nodeAddressOf } from '../network/node-address.ts'
import { FAMILY, MAX_ADDRESSES } from '../network/place.ts'
import { MAX_SEATS, toleratedFaults } from '../network/quorum.ts'
import { refuseSuccession } from './refuse-succession.ts'
import { rotationAt } from './rotation-times.ts'
import type { Seat, Term, TermInit } from './term.ts'

/** What the validators of a term agree on to end it (docs/specs/terms.md, Handover). */
export interface HandoverValue {
  /** Whether a rotation has come; else seats have lapsed or are free. */
  readonly rotates: boolean
  /** First map epoch of the new term. */
  readonly fromEpoch: number
  /** The map from which those who enter were drawn. */
  readonly anchorEpoch: number
  /** Places in the term that ends, ascending, of those who give up their seats. */
  readonly leaving: readonly number[]
  /** Who gets a seat, in the order of the draw. */
  readonly entering: readonly Seat[]
}

/** First in the form of a value. */
const FILLS = 1
const ROTATES = 2
const MAX_BYTES = 24 * 1024
const CONTEXT = utf8('weft:handover:v1\0')

/** Most seats that one handover gives away: no more than may be down or lie, so that those who know the network stay. */
export function mostEntering(validators: number): number {
  return Math.max(1, toleratedFaults(validators))
}

export function encodeHandoverValue(value: HandoverValue): Uint8Array {
  const { rotates, fromEpoch, anchorEpoch, leaving, entering } = value
  const seats = entering.map(({ id, addresses, family }) => [fromDidKey(id), addresses, family])
  return encodeCanonical([rotates ? ROTATES : FILLS, fromEpoch, anchorEpoch, leaving, seats])
}

/** @throws WeftError E_SUCCESSION */
export function decodeHandoverValue(bytes: Uint8Array): HandoverValue {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_BYTES, refuseSuccession), 'value', 5, refuseSuccession)
  const [kind, fromEpoch, anchorEpoch, places, seats] = tuple
  const rotates = integerOf(kind, 'kind', FILLS, ROTATES, refuseSuccession) === ROTATES
  const leaving = listOf(places, 'leaving', 0, MAX_SEATS, refuseSuccession, (item, path) =>
    integerOf(item, path, 0, MAX_SEATS - 1, refuseSuccession),
  )
  for (let at = 1; at < leaving.length; at++) {
    if ((leaving[at - 1] as number) >= (leaving[at] as number)) throw refuseSuccession('who leaves is not in order')
  }
  return {
    rotates,
    fromEpoch: integerOf(fromEpoch, 'fromEpoch', 0, MAX_EPOCH, refuseSuccession),
    anchorEpoch: integerOf(anchorEpoch, 'anchorEpoch', 0, MAX_EPOCH, refuseSuccession),
    leaving,
    entering: listOf(seats, 'entering', 1, mostEntering(MAX_SEATS), refuseSuccession, seatOf),
  }
}

function seatOf(value: unknown, path: string): Seat {
  const [key, addresses, family] = tupleOf(value, path, 3, refuseSuccession)
  return {
    id: toDidKey(bytesOf(key, `${path}.key`, 32, refuseSuccession)),
    addresses: distinct(
      listOf(addresses, `${path}.addresses`, 1, MAX_ADDRESSES, refuseSuccession, (item, at) =>
        nodeAddressOf(item, at, refuseSuccession),
      ),
      `${path}.addresses`,
      refuseSuccession,
    ),
    family: textOf(family, `${path}.family`, FAMILY, 64, refuseSuccession),
  }
}

/** The term that a value begins: those who stay in their order, then those who enter. @throws WeftError E_SUCCESSION when it cannot follow */
export function termAfterHandover(
  { file }: Pick<Network, 'file'>,
  term: Term,
  { rotates, fromEpoch, anchorEpoch, leaving, entering }: HandoverValue,
): TermInit {
  const { validators, number } = term
  if (anchorEpoch < term.fromEpoch || fromEpoch <= anchorEpoch)
    throw refuseSuccession(
      `drawn in epoch ${anchorEpoch} of a term that began in ${term.fromEpoch}, it begins in ${fromEpoch}`,
    )
  if (leaving.some((place) => place >= validators.length)) throw refuseSuccession('somebody leaves who has no seat')
  const most = mostEntering(validators.length)
  if (leaving.length > toleratedFaults(validators.length) || entering.length > most)
    throw refuseSuccession(`${leaving.length} leave and ${entering.length} enter; ${most} are the most`)
  if (entering.length < leaving.length) throw refuseSuccession('more leave than enter')
  const rotation = rotates ? rotationAt(file, anchorEpoch) : term.rotation
  if (rotates && (rotation <= term.rotation || entering.length > leaving.length))
    throw refuseSuccession(
      `${leaving.length} leave and ${entering.length} enter in rotation ${rotation}; the last was ${term.rotation}`,
    )
  const gone = new Set(leaving)
  const next = [...validators.filter((_, place) => !gone.has(place)), ...entering]
  if (new Set(next.map(({ id }) => id)).size < next.length) throw refuseSuccession('somebody has two seats')
  if (entering.some(({ id }) => term.isValidator(id))) throw refuseSuccession('somebody enters who has a seat')
  if (next.length > Math.max(file.committeeSize, validators.length))
    throw refuseSuccession(`it has ${next.length} seats; ${file.committeeSize} are the most`)
  return { number: number + 1, fromEpoch, validators: next, rotation }
}

/**
 * Who agrees on the handover of a term: its validators, once. What their messages name in place of the network is of this
 * term alone, so that none counts in any other agreement.
 */
export function handoverSet({ id }: Pick<Network, 'id'>, term: Term): ValidatorSet {
  const number = new DataView(new ArrayBuffer(8))
  number.setBigUint64(0, BigInt(term.number))
  const name = sha256(concatBytes([CONTEXT, utf8(id), new Uint8Array(number.buffer)]))
  return new ValidatorSet(`w${toBase32(name.subarray(0, 20))}`, term)
}
