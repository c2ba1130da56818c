import { sha256 } from '@weft/crypto'
import { encodeCanonical } from '../codec/canonical-cbor.ts'
import { addressGroup } from '../network/address-group.ts'

/** Who would dial whom for whom, and when. */
export interface DialErrand {
  /** Id of the network. */
  readonly network: string
  /** Map epoch. */
  readonly epoch: number
  /** 32 bytes: the validator that asks. */
  readonly validator: Uint8Array
  /** The host to dial. */
  readonly host: string
}

/** Members that a validator chooses from, on average; all where there are fewer. */
export const DIALERS = 16
/** Those that agree to be among them: their map may have a quarter fewer members than that of the validator. */
export const AGREEING_DIALERS = 20
/** The part of a hash that is compared, as a number. */
const DRAWN_BYTES = 6
const DRAWN_RANGE = 2 ** (8 * DRAWN_BYTES)

/**
 * Which members dial a host (one /64 for IPv6) for a validator in a map epoch: a few of all, drawn by hashes that each of them
 * computes for itself, so that a validator cannot have thousands dial one host. The draw needs no agreement and is public; it
 * is rendezvous hashing (Thaler and Ravishankar, 1998) with a threshold in place of a rank.
 * @param members in the map
 * @param dialers how many shall be drawn, on average
 * @returns whether the member of a key (32 bytes) is drawn
 */
export function dialersOf(errand: DialErrand, members: number, dialers: number): (member: Uint8Array) => boolean {
  if (members <= dialers) return () => true
  const { network, epoch, validator, host } = errand
  const seed = sha256(encodeCanonical(['dial', network, epoch, validator, addressGroup(host)]))
  const below = (DRAWN_RANGE * dialers) / members
  return (member) => {
    const { buffer, byteOffset, byteLength } = sha256(seed, member)
    return Buffer.from(buffer, byteOffset, byteLength).readUIntBE(0, DRAWN_BYTES) < below
  }
}
