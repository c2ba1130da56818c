import { TIERS, type Tier } from '../shaping/tier.ts'
import { type HopCounts, readHopCounts, writeHopCounts } from './hop-counts.ts'
import { readWithLength, writeWithLength } from './link-content.ts'
import { type Pay, readPay, readReceipt, type Receipt, writePay, writeReceipt } from '../receipts/receipt.ts'

/** A message between the client and one hop of its circuit (docs/specs/packets.md, Control messages). */
export type Control =
  | { readonly kind: 'extend' | 'extended'; readonly message: Uint8Array }
  | { readonly kind: 'failed' | 'ended'; readonly reason: number }
  | { readonly kind: 'ping' | 'pong' | 'count'; readonly token: Uint8Array }
  | { readonly kind: 'counted'; readonly token: Uint8Array; readonly counts: HopCounts }
  | { readonly kind: 'tier' | 'tiered'; readonly tier: Tier }
  | ({ readonly kind: 'pay' } & Pay)
  | ({ readonly kind: 'receipt' } & Receipt)

/** Of `ping` and `count`, by which their answers are known. */
export const TOKEN_BYTES = 8

const KINDS = [
  undefined,
  'extend',
  'extended',
  'failed',
  'ping',
  'pong',
  'ended',
  'count',
  'counted',
  'tier',
  'tiered',
  'pay',
  'receipt',
] as const

/** Writes the message and zeros behind it. @throws RangeError when `into` has no room for it. */
export function writeControl(into: Uint8Array, control: Control): void {
  into.fill(0)
  into[0] = KINDS.indexOf(control.kind)
  switch (control.kind) {
    case 'extend':
    case 'extended':
      writeWithLength(into, 1, control.message)
      break
    case 'failed':
    case 'ended':
      into[1] = control.reason
      break
    case 'ping':
    case 'pong':
    case 'count':
      into.set(control.token, 1)
      break
    case 'counted':
      into.set(control.token, 1)
      writeHopCounts(into, 1 + TOKEN_BYTES, control.counts)
      break
    case 'tier':
    case 'tiered':
      into[1] = TIERS.indexOf(control.tier)
      break
    case 'pay':
      writePay(into, 1, control)
      break
    case 'receipt':
      writeReceipt(into, 1, control)
      break
  }
}

/** Bytes are views into `content`; undefined when it is no message of this version. What stands behind it is not looked at. */
export function readControl(content: Uint8Array): Control | undefined {
  const kind = KINDS[content[0] ?? 0]
  switch (kind) {
    case undefined:
      return undefined
    case 'extend':
    case 'extended': {
      const message = readWithLength(content, 1)
      return message === undefined ? undefined : { kind, message }
    }
    case 'failed':
    case 'ended': {
      const reason = content[1]
      return reason === undefined ? undefined : { kind, reason }
    }
    case 'ping':
    case 'pong':
    case 'count':
      return content.length > TOKEN_BYTES ? { kind, token: content.subarray(1, 1 + TOKEN_BYTES) } : undefined
    case 'counted': {
      const counts = readHopCounts(content, 1 + TOKEN_BYTES)
      return counts && { kind, token: content.subarray(1, 1 + TOKEN_BYTES), counts }
    }
    case 'tier':
    case 'tiered': {
      const tier = TIERS[content[1] ?? TIERS.length]
      return tier === undefined ? undefined : { kind, tier }
    }
    case 'pay': {
      const pay = readPay(content, 1)
      return pay && { kind, ...pay }
    }
    case 'receipt': {
      const receipt = readReceipt(content, 1)
      return receipt && { kind, ...receipt }
    }
  }
}
