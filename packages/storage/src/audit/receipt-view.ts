import { WeftError, toBase64Url } from '@weft/core'
import { type DidKey, toDidKey } from '@weft/crypto'
import type { AuditReceipt } from '@weft/wire'
import type { SignedAudit } from './signed-audit.ts'

/** By their numbers in a receipt. */
export const VERDICTS = ['kept', 'missing', 'wrong', 'silent'] as const
export type Verdict = (typeof VERDICTS)[number]

export type VerdictCounts = Readonly<Record<Verdict, number>>

export function noVerdicts(): Record<Verdict, number> {
  return { kept: 0, missing: 0, wrong: 0, silent: 0 }
}

/** What one auditor found at one holder in one audit epoch, and signed. */
export interface AuditResult {
  readonly epoch: number
  readonly node: DidKey
  readonly auditor: DidKey
  /**
   * `kept`: all that was asked for was there. `missing`: some was not. `wrong`: the holder contradicted itself, which
   * anybody can check. `silent`: it did not answer, also not when asked three times more.
   */
  readonly verdict: Verdict
  /** Of the manifest; 0 when there was none. */
  readonly shards: number
  /** 4 KiB each. */
  readonly leaves: number
  readonly asked: number
  readonly kept: number
  readonly missing: number
  readonly wrong: number
  /** No record said what they should be. */
  readonly unknown: number
  readonly silent: number
  /** ms since the epoch, by the auditor's clock. */
  readonly at: number
  /** base64url, over the receipt (docs/specs/audits.md). */
  readonly signature: string
}

/** @throws WeftError E_AUDIT_STATEMENT for a receipt that means nothing */
export function resultOf(receipt: AuditReceipt, { signature }: SignedAudit): AuditResult {
  const { epoch, shards, leaves, at, node, auditor, asked, kept, missing, wrong, unknown, silent } = receipt
  const verdict = VERDICTS[receipt.verdict]
  const numbers = [epoch, shards, leaves, at]
  if (verdict === undefined || node.length !== 32 || numbers.some((value) => value > BigInt(Number.MAX_SAFE_INTEGER))) {
    throw new WeftError({
      code: 'E_AUDIT_STATEMENT',
      cause: 'The receipt of an audit counts for nothing: a field of it means nothing.',
      fix: 'The auditor has to follow docs/specs/audits.md; update the older of the two sides.',
    })
  }
  return {
    epoch: Number(epoch),
    node: toDidKey(node),
    auditor: toDidKey(auditor),
    verdict,
    shards: Number(shards),
    leaves: Number(leaves),
    asked,
    kept,
    missing,
    wrong,
    unknown,
    silent,
    at: Number(at),
    signature: toBase64Url(signature),
  }
}
