import { KEY_BYTES } from '../sodium.ts'
import { type CircuitPurpose, CircuitPurpose as Purpose, isCircuitPurpose } from './purpose.ts'

/** What a client says to a hop in the first message of its handshake, encrypted under X25519(x, B) (docs/specs/packets.md, Circuit). */
export interface ClientMessage {
  readonly purpose: CircuitPurpose
  /** Suites, as bits. */
  readonly offer: number
  /** Key of the units that may come before the answer did; only to a hop that others follow. */
  readonly earlyKey: Uint8Array | undefined
}

export function writeClientMessage({ purpose, offer, earlyKey }: ClientMessage): Uint8Array {
  const bytes = new Uint8Array(2 + (earlyKey?.length ?? 0))
  bytes[0] = purpose
  bytes[1] = offer
  if (earlyKey !== undefined) bytes.set(earlyKey, 2)
  return bytes
}

/** The key is a copy; undefined when it is no message of this version. */
export function readClientMessage(bytes: Uint8Array): ClientMessage | undefined {
  const [purpose, offer] = bytes
  if (offer === undefined || !isCircuitPurpose(purpose)) return undefined
  if (bytes.length === 2) return { purpose, offer, earlyKey: undefined }
  if (bytes.length !== 2 + KEY_BYTES || purpose !== Purpose.hop) return undefined
  return { purpose, offer, earlyKey: new Uint8Array(bytes.subarray(2)) }
}
