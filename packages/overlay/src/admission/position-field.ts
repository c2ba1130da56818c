import { type Refusal, bytesOf, integerOf, tupleOf } from '../codec/strict-values.ts'
import { MAX_EPOCH } from '../network/epoch.ts'

/** Where a node stands among all others, as a beacon later than its request for admission put it. */
export interface CertifiedPosition {
  /** Map epoch of that beacon. */
  readonly epoch: number
  /** 32 bytes (docs/specs/beacon.md, Position). */
  readonly value: Uint8Array
}

/** The field `position` of a certificate body as it is encoded: null, or epoch and value. */
export function positionField(position: CertifiedPosition | undefined): unknown {
  return position === undefined ? null : [position.epoch, position.value]
}

/** @throws refusal */
export function positionOf(value: unknown, refuse: Refusal): CertifiedPosition | undefined {
  if (value === null) return undefined
  const [epoch, position] = tupleOf(value, 'position', 2, refuse)
  return {
    epoch: integerOf(epoch, 'position.epoch', 0, MAX_EPOCH, refuse),
    value: bytesOf(position, 'position.value', 32, refuse),
  }
}
