import type { Fault } from '@weft/core'
import type { BooksTotals } from './receipt-books.ts'

/** Of a client's packet thread, since it was started. */
export interface PurseStatus {
  /** At hand there. */
  readonly tokens: number
  /** Payments that hops took. */
  readonly paid: number
  /** A hop wanted pay, and there was nothing to pay it with. */
  readonly isEmpty: boolean
  /** The latest payments that hops did not take, and why. */
  readonly refused: readonly { readonly node: string; readonly why: string }[]
  /** Nodes that said more was due than this one can account for. */
  readonly overcharged: readonly string[]
}

/** How this node stands with pay for circuits (docs/specs/receipts.md). */
export interface ReceiptsStatus {
  /** Those whose tokens this node uses; `left`: tokens that it may still fetch this epoch, undefined until it was told. */
  readonly issuers: readonly {
    readonly node: string
    readonly left: number | undefined
    readonly fault: Fault | undefined
  }[]
  /** Tokens of this node that can be spent, those in the purse not among them. */
  readonly tokens: number
  readonly purse: PurseStatus | undefined
  /** Of a node that carries for others. */
  readonly books: BooksTotals | undefined
  /** What is wrong; undefined when nothing is. */
  readonly fault: Fault | undefined
}
