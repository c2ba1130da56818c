import type { DidKey } from '@weft/crypto'
import type { AuditEvidence } from './audit-evidence.ts'
import { type AuditResult, type VerdictCounts, noVerdicts } from './receipt-view.ts'

/** What is known of audits here. */
export interface Audits {
  /** What auditors found at this node, as they told it; the newest 200, newest first. */
  own(): readonly AuditResult[]
  /** What this node found as an auditor; the newest 200, newest first. */
  made(): readonly AuditResult[]
  /** How many of those that are kept ended how. */
  counts(): { readonly own: VerdictCounts; readonly made: VerdictCounts }
  /** What shows that a node contradicted itself, found here. @see provesWrong */
  evidence(epoch: number, node: DidKey): AuditEvidence | undefined
}

/** Of a node that neither audits nor is audited. */
export const NO_AUDITS: Audits = {
  own: () => [],
  made: () => [],
  counts: () => ({ own: noVerdicts(), made: noVerdicts() }),
  evidence: () => undefined,
}
