import { WeftError, equalBytes } from '@weft/core'
import {
  type DidKey,
  type SigningKey,
  type SigningPurpose,
  fromDidKey,
  sha256,
  shortId,
  verifySignature,
} from '@weft/crypto'
import {
  type AuditAnswer,
  AuditAnswerSchema,
  type AuditManifest,
  AuditManifestSchema,
  type AuditReceipt,
  AuditReceiptSchema,
  KiB,
  type MessageInitShape,
  create,
  decodeMessage,
  encodeMessage,
} from '@weft/wire'
import { ITEMS_PER_QUESTION, MAX_LEAVES } from './audit-limits.ts'

/** A statement of an audit as it was signed; verified as it came. */
export interface SignedAudit {
  readonly body: Uint8Array
  readonly signature: Uint8Array
}

export function signManifest(key: SigningKey, manifest: MessageInitShape<typeof AuditManifestSchema>): SignedAudit {
  return signed(key, 'audit-manifest', encodeMessage(AuditManifestSchema, create(AuditManifestSchema, manifest)))
}

export function signAnswer(key: SigningKey, answer: MessageInitShape<typeof AuditAnswerSchema>): SignedAudit {
  return signed(key, 'audit-answer', encodeMessage(AuditAnswerSchema, create(AuditAnswerSchema, answer)))
}

export function signReceipt(key: SigningKey, receipt: MessageInitShape<typeof AuditReceiptSchema>): SignedAudit {
  return signed(key, 'audit-receipt', encodeMessage(AuditReceiptSchema, create(AuditReceiptSchema, receipt)))
}

/** @throws WeftError E_AUDIT_STATEMENT, and those of decodeMessage */
export function openManifest(statement: SignedAudit, holder: DidKey): AuditManifest {
  verify(statement, 'audit-manifest', holder)
  const manifest = decodeMessage(AuditManifestSchema, statement.body, KiB)
  const { node, root, auditor, shards, leaves } = manifest
  const fits = equalBytes(node, fromDidKey(holder)) && root.length === 32 && auditor.length === 32
  if (!fits || leaves > MAX_LEAVES || shards > leaves)
    throw worthless(holder, 'its manifest is of another node, or too large')
  return manifest
}

/** @throws WeftError E_AUDIT_STATEMENT, and those of decodeMessage */
export function openAnswer(statement: SignedAudit, holder: DidKey): AuditAnswer {
  verify(statement, 'audit-answer', holder)
  const answer = decodeMessage(AuditAnswerSchema, statement.body, 128 * KiB)
  if (answer.items.length > ITEMS_PER_QUESTION) throw worthless(holder, 'its answer has too many items')
  return answer
}

/** @throws WeftError E_AUDIT_STATEMENT, and those of decodeMessage */
export function openReceipt(statement: SignedAudit, auditor: DidKey): AuditReceipt {
  verify(statement, 'audit-receipt', auditor)
  const receipt = decodeMessage(AuditReceiptSchema, statement.body, KiB)
  if (!equalBytes(receipt.auditor, fromDidKey(auditor))) throw worthless(auditor, 'its receipt is of another auditor')
  return receipt
}

/** By which answers name the manifest that they are of. */
export function manifestName({ body }: SignedAudit): Uint8Array {
  return sha256(body)
}

function signed(key: SigningKey, purpose: SigningPurpose, body: Uint8Array): SignedAudit {
  return { body, signature: key.sign(purpose, body) }
}

function verify({ body, signature }: SignedAudit, purpose: SigningPurpose, signer: DidKey): void {
  if (!verifySignature(purpose, body, signature, fromDidKey(signer))) throw worthless(signer, 'it is not signed by it')
}

function worthless(signer: DidKey, why: string): WeftError {
  return new WeftError({
    code: 'E_AUDIT_STATEMENT',
    cause: `What …${shortId(signer)} said in an audit counts for nothing: ${why}.`,
    fix: 'Nothing to do here; its operator has to run an unaltered release.',
    details: { node: signer },
  })
}
