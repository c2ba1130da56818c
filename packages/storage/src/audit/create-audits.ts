import { type Clock, type Logger, type Random, type Scope, WeftError, equalBytes } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { ObjectRecords } from '../object/object-records.ts'
import { AuditBeacons, AuditEpochs, type AuditOverlay } from './audit-beacons.ts'
import { AuditBook } from './audit-book.ts'
import { auditorsOf } from './audit-draw.ts'
import type { Audits } from './audits.ts'
import { Auditor } from './auditor.ts'
import { HolderAudits } from './holder-audits.ts'
import { resultOf } from './receipt-view.ts'
import { type SignedAudit, openReceipt } from './signed-audit.ts'

/** Receipts that are shown. */
const SHOWN = 200

/** When audits happen. */
export interface AuditTimes {
  /** Map epochs in an audit epoch. */
  readonly mapEpochs: number
  readonly mapEpochMs: number
}

export interface AuditsInit {
  readonly overlay: AuditOverlay
  readonly key: SigningKey
  readonly times: AuditTimes
  /** Of a holder. */
  readonly store?: Pick<BlobStore, 'committed' | 'read'> | undefined
  readonly records: Pick<ObjectRecords, 'readHead' | 'readSegment'>
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly scope: Scope
}

/** Audits holders while this node is a validator, and answers auditors where it is a holder, until the scope closes. */
export function createAudits(init: AuditsInit): Audits {
  const { overlay, key, times, store, directory, scope, logger } = init
  const book = scope.use('book of audits', new AuditBook(directory, logger))
  const beacons = new AuditBeacons(overlay)
  const epochs = new AuditEpochs(overlay, times.mapEpochs)
  const parts = { ...init, beacons, epochs, book }
  if (store !== undefined) serve(overlay, new HolderAudits({ ...parts, store }), parts)
  const auditor = new Auditor({ ...parts, epochMs: times.mapEpochs * times.mapEpochMs })
  scope.defer('audits', () => auditor.settled())
  const follow = (): void => auditor.follow(scope.signal)
  scope.defer('map of audits', async () => end())
  const end = overlay.membership.onChange(follow)
  follow()
  return {
    own: () => book.list({ node: key.id }, SHOWN),
    made: () => book.list({ auditor: key.id }, SHOWN),
    counts: () => ({ own: book.count({ node: key.id }), made: book.count({ auditor: key.id }) }),
    evidence: (epoch, node) => book.evidence(epoch, node),
  }
}

interface ServeParts {
  readonly key: SigningKey
  readonly book: AuditBook
  readonly epochs: AuditEpochs
}

function serve(overlay: AuditOverlay, audits: HolderAudits, parts: ServeParts): void {
  const { rpc } = overlay
  rpc.handle('audit.manifest', ({ epoch }, { id }) => audits.manifest(Number(epoch), id))
  rpc.handle('audit.answer', (question, { id }, signal) => audits.answer(question, id, signal))
  rpc.handle('audit.receipt', async (statement, { id }) => {
    takeReceipt(overlay, statement, id, parts)
    return {}
  })
}

/** @throws WeftError E_AUDIT_STATEMENT, E_AUDIT_NOT_DRAWN */
function takeReceipt(
  overlay: AuditOverlay,
  statement: SignedAudit,
  auditor: DidKey,
  { key, book, epochs }: ServeParts,
): void {
  const receipt = openReceipt(statement, auditor)
  const { epoch } = resultOf(receipt, statement)
  const current = epochs.current ?? -1
  const position = overlay.membership.member(key.id)?.position ?? key.publicKey
  const validators = overlay.term().validators.map(({ id }) => id)
  const isOurs =
    receipt.network === overlay.networkId &&
    equalBytes(receipt.node, key.publicKey) &&
    (epoch === current || epoch === current - 1) &&
    auditorsOf(position, epoch, validators).includes(auditor)
  if (!isOurs) {
    throw new WeftError({
      code: 'E_AUDIT_NOT_DRAWN',
      cause: 'The receipt is of another node or audit epoch, or of a validator that was not drawn for it.',
      fix: 'See that both nodes have the newest map and know the newest term.',
    })
  }
  book.add(statement)
}
