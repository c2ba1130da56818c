import { WeftError, concatBytes } from '@weft/core'
import { type SigningKey, verifySignature } from '@weft/crypto'
import { encodeCanonical } from '../codec/canonical-cbor.ts'
import { SLOT_MS } from './load-limits.ts'
import { type LoadStep, isLoadStep } from './load-step.ts'

/** What a node says of its own load (docs/specs/load.md, Statement). */
export interface LoadStatement {
  /** The first 8 bytes of its key. */
  readonly prefix: Uint8Array
  /** The slot that it is of: {@link slotAt}. */
  readonly slot: number
  readonly step: LoadStep
  /** 64 bytes, Ed25519, purpose `load`. */
  readonly signature: Uint8Array
}

export const PREFIX_LENGTH = 8
const SIGNATURE_LENGTH = 64
const STEP_AT = PREFIX_LENGTH + 4
const SIGNATURE_AT = STEP_AT + 1
/** Bytes of a statement: the prefix of the key, the slot (32 bits, big-endian), the step, the signature. */
export const STATEMENT_LENGTH = SIGNATURE_AT + SIGNATURE_LENGTH

const VERSION = 1

/** The slot of a time, ms since the Unix epoch. */
export function slotAt(now: number): number {
  return Math.max(0, Math.floor(now / SLOT_MS))
}

export function signLoad(network: string, slot: number, step: LoadStep, key: SigningKey): LoadStatement {
  const signature = key.sign('load', signedBytes(network, slot, step))
  return { prefix: key.publicKey.slice(0, PREFIX_LENGTH), slot, step, signature }
}

/** @param key 32 bytes, which the statement's prefix begins */
export function verifyLoad(network: string, { slot, step, signature }: LoadStatement, key: Uint8Array): boolean {
  return verifySignature('load', signedBytes(network, slot, step), signature, key)
}

/** One behind the other, as messages carry them. */
export function encodeLoads(statements: readonly LoadStatement[]): Uint8Array {
  const bytes = new Uint8Array(statements.length * STATEMENT_LENGTH)
  const view = new DataView(bytes.buffer)
  for (const [index, { prefix, slot, step, signature }] of statements.entries()) {
    const at = index * STATEMENT_LENGTH
    bytes.set(prefix, at)
    view.setUint32(at + PREFIX_LENGTH, slot)
    bytes.set(concatBytes([Uint8Array.of(step), signature]), at + STEP_AT)
  }
  return bytes
}

/**
 * Reads statements without verifying them; the bytes are copied.
 * @param most that there may be
 * @throws WeftError E_LOAD_MALFORMED
 */
export function decodeLoads(bytes: Uint8Array, most: number): LoadStatement[] {
  const count = bytes.length / STATEMENT_LENGTH
  if (!Number.isInteger(count) || count > most)
    throw malformed(`it has ${bytes.length} bytes, and should have ${STATEMENT_LENGTH} for each, ${most} at most`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: count }, (_, index) => {
    const at = index * STATEMENT_LENGTH
    const step = view.getUint8(at + STEP_AT)
    if (!isLoadStep(step)) throw malformed(`a node is at step ${step}, and there are 0 to 4`)
    return {
      prefix: new Uint8Array(bytes.subarray(at, at + PREFIX_LENGTH)),
      slot: view.getUint32(at + PREFIX_LENGTH),
      step,
      signature: new Uint8Array(bytes.subarray(at + SIGNATURE_AT, at + STATEMENT_LENGTH)),
    }
  })
}

function signedBytes(network: string, slot: number, step: LoadStep): Uint8Array {
  return encodeCanonical([VERSION, network, slot, step])
}

function malformed(why: string): WeftError {
  return new WeftError({
    code: 'E_LOAD_MALFORMED',
    cause: `A message about loads cannot be used: ${why}.`,
    fix: 'The node that sent it has to follow docs/specs/load.md; update the older of the two sides.',
  })
}
