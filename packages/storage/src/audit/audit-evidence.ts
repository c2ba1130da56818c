import { equalBytes } from '@weft/core'
import { type DidKey, toDidKey } from '@weft/crypto'
import type { AuditAnswer, AuditManifest, AuditQuestion } from '@weft/wire'
import { type AuditDraw, drawLeaves } from './audit-draw.ts'
import { type AuditAsked, judgeItem } from './judge-item.ts'
import { type SignedAudit, manifestName, openAnswer, openManifest } from './signed-audit.ts'

/** Two statements of one holder that cannot both be true; whoever knows the beacon can check it. */
export interface AuditEvidence {
  readonly manifest: SignedAudit
  readonly answer: SignedAudit
}

/**
 * Whether a holder contradicted itself: its answer is to this manifest, and one of its items is not in that manifest, of
 * another shard than the beacon drew, or has bytes that are not under the root that it names. Nothing else is asked, no
 * record and no key: no owner and no auditor can make such a thing of an honest holder.
 * @param beacon 32 bytes: value of the first beacon after the one that the manifest names
 * @throws WeftError E_AUDIT_STATEMENT and those of decodeMessage, when the holder did not sign it
 */
export function provesWrong(evidence: AuditEvidence, holder: DidKey, network: string, beacon: Uint8Array): boolean {
  const manifest = openManifest(evidence.manifest, holder)
  const answer = openAnswer(evidence.answer, holder)
  if (manifest.network !== network || !equalBytes(answer.manifest, manifestName(evidence.manifest))) return false
  const draw = { beacon, node: holder, auditor: toDidKey(manifest.auditor), epoch: Number(manifest.epoch) }
  const asked = askedBy(answer, manifest, draw)
  return answer.items.some((item, at) => {
    const one = asked[at]
    return one !== undefined && judgeItem(item, one, manifest, draw).says === 'wrong'
  })
}

/** What each item of an answer is to, by the question that is in it. */
function askedBy({ question }: AuditAnswer, manifest: AuditManifest, draw: AuditDraw): AuditAsked[] {
  if (question === undefined) return []
  return askedOf(question, drawLeaves(draw, Number(manifest.leaves)))
}

export function askedOf({ first, count, names }: AuditQuestion, drawn: readonly number[]): AuditAsked[] {
  if (names.length > 0) return names.map(({ object, segment, index }) => ({ name: { object, segment, index } }))
  return drawn.slice(first, first + count).map((leaf) => ({ leaf }))
}
