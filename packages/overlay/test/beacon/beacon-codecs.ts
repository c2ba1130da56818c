import { WeftError } from '@weft/core'
import fc from 'fast-check'
import { type BeaconInputs, MAX_INPUTS, decodeInputs, encodeInputs } from '../../src/beacon/beacon-inputs.ts'
import { MAX_SHARE, decodeShare, encodeShare } from '../../src/beacon/beacon-share.ts'
import { MAX_DEALING, decodeDealing, encodeDealing } from '../../src/beacon/dealing.ts'
import { ORDER, toScalar } from '../../src/beacon/scalar.ts'
import { validators } from './beacon-fixture.ts'

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const scalar = fc.bigInt({ min: 0n, max: ORDER - 1n }).map(toScalar)
const seat = fc.integer({ min: 0, max: 63 })
/** Inputs are read for a roster; this is of four. */
const { roster } = validators(4)

/** A form of the beacon, as tests of forms take it. */
export interface Codec {
  readonly name: string
  readonly values: fc.Arbitrary<unknown>
  readonly limit: number
  encode(value: never): Uint8Array
  decode(bytes: Uint8Array): unknown
}

export const CODECS: readonly Codec[] = [
  {
    name: 'dealing',
    limit: MAX_DEALING,
    values: fc.record({
      context: bytes32,
      dealer: seat,
      dealingKey: bytes32,
      shares: fc.array(bytes32, { minLength: 1, maxLength: 64 }),
      challenge: scalar,
      response: scalar,
    }),
    encode: encodeDealing,
    decode: decodeDealing,
  },
  {
    name: 'share',
    limit: MAX_SHARE,
    values: fc.record({ inputs: bytes32, seat, opening: bytes32, challenge: scalar, response: scalar }),
    encode: encodeShare,
    decode: decodeShare,
  },
  {
    name: 'inputs',
    limit: MAX_INPUTS,
    values: fc.record({
      previous: fc.record({ epoch: fc.integer({ min: -1, max: roster.epoch - 1 }), value: bytes32 }),
      dealings: fc
        .subarray([0, 1, 2, 3], { minLength: 3 })
        .chain((dealers) => fc.tuple(...dealers.map((dealer) => bytes32.map((dealing) => ({ dealer, dealing }))))),
    }),
    encode: ({ previous, dealings }: Pick<BeaconInputs, 'previous' | 'dealings'>) =>
      encodeInputs(roster, previous, dealings),
    decode: (bytes) => decodeInputs(roster, bytes),
  },
]

/** Decodes; only an error of ours is an answer. */
export function refused(codec: Codec, input: Uint8Array): boolean {
  try {
    codec.decode(input)
    return false
  } catch (error) {
    if (error instanceof WeftError) return true
    throw error
  }
}
