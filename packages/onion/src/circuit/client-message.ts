import { KEY_BYTES } from '../sodium.ts'
import { type CircuitPurpose, CircuitPurpose as Purpose, isCircuitPurpose } from './purpose.ts'

/** With an early key: purpose, offer, key, time. */
const EARLY_BYTES = 2 + KEY_BYTES + 2
/** Beside the suite in a hop's message: it does not take the early key. */
export const EARLY_REFUSED = 0x80

export interface EarlyOffer {
  /** 32 bytes. */
  readonly key: Uint8Array
  readonly time: number
}

/** What a client says to a hop in the first message of its handshake, encrypted under X25519(x, B) (docs/specs/packets.md, Circuit). */
export interface ClientMessage {
  readonly purpose: CircuitPurpose
  /** Suites, as bits. */
  readonly offer: number
  /** Key of the units that may come before the answer did, and {@link earlyTime}; only to a hop that others follow. */
  readonly early: EarlyOffer | undefined
}

export function writeClientMessage({ purpose, offer, early }: ClientMessage): Uint8Array {
  if (early === undefined) return Uint8Array.of(purpose, offer)
  const bytes = new Uint8Array(EARLY_BYTES)
  bytes[0] = purpose
  bytes[1] = offer
  bytes.set(early.key, 2)
  bytes[EARLY_BYTES - 2] = early.time >>> 8
  bytes[EARLY_BYTES - 1] = early.time & 0xff
  return bytes
}

/** The key is a copy; undefined when it is no message of this version. */
export function readClientMessage(bytes: Uint8Array): ClientMessage | undefined {
  const [purpose, offer] = bytes
  if (offer === undefined || !isCircuitPurpose(purpose)) return undefined
  if (bytes.length === 2) return { purpose, offer, early: undefined }
  if (bytes.length !== EARLY_BYTES || purpose !== Purpose.hop) return undefined
  const time = ((bytes[EARLY_BYTES - 2] as number) << 8) | (bytes[EARLY_BYTES - 1] as number)
  return { purpose, offer, early: { key: new Uint8Array(bytes.subarray(2, 2 + KEY_BYTES)), time } }
}
