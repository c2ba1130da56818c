import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { type Logger, WeftError, ensureDirectory, messageOf } from '@weft/core'
import { type DidKey, toDidKey } from '@weft/crypto'
import { AuditReceiptSchema, KiB, decodeMessage } from '@weft/wire'
import type { AuditEvidence } from './audit-evidence.ts'
import { type AuditResult, VERDICTS, type VerdictCounts, noVerdicts, resultOf } from './receipt-view.ts'
import type { SignedAudit } from './signed-audit.ts'

/** Receipts that are kept, the newest: of a holder three an epoch, of an auditor those of all its holders. */
const MAX_RECEIPTS = 20_000

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS receipts (
    epoch INTEGER NOT NULL, node TEXT NOT NULL, auditor TEXT NOT NULL, verdict INTEGER NOT NULL, body BLOB NOT NULL, signature BLOB NOT NULL,
    manifest BLOB, manifest_signature BLOB, answer BLOB, answer_signature BLOB, PRIMARY KEY (epoch, node, auditor)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS receipts_of_node ON receipts (node, verdict);
  CREATE INDEX IF NOT EXISTS receipts_by_auditor ON receipts (auditor, verdict);
`

type Row = Readonly<
  Record<'body' | 'signature' | 'manifest' | 'manifest_signature' | 'answer' | 'answer_signature', Uint8Array>
>

/** The receipts that this node was given or gave, and what shows that a holder contradicted itself. */
export class AuditBook implements Disposable {
  readonly #database: DatabaseSync
  readonly #logger: Logger

  /** @throws WeftError E_AUDIT_BOOK when it cannot be opened */
  constructor(directory: string, logger: Logger) {
    this.#logger = logger
    const path = pathIn(directory)
    try {
      this.#database = new DatabaseSync(path)
      this.#database.exec(SCHEMA)
    } catch (error) {
      throw new WeftError({
        code: 'E_AUDIT_BOOK',
        cause: `The receipts of audits in ${path} cannot be opened: ${messageOf(error)}.`,
        fix: 'Make room on the disk if it is full; otherwise remove the file, which has nothing but receipts of this node.',
      })
    }
  }

  /** Keeps a receipt; the first of an auditor for a node and an epoch stays. False when there was one. */
  add(receipt: SignedAudit, evidence?: AuditEvidence): boolean {
    const { epoch, node, auditor, verdict } = decodeMessage(AuditReceiptSchema, receipt.body, KiB)
    const { manifest, answer } = evidence ?? {}
    try {
      const { changes } = this.#database
        .prepare('INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
        .run(
          Number(epoch),
          toDidKey(node),
          toDidKey(auditor),
          verdict,
          receipt.body,
          receipt.signature,
          manifest?.body ?? null,
          manifest?.signature ?? null,
          answer?.body ?? null,
          answer?.signature ?? null,
        )
      this.#trim()
      return changes === 1
    } catch (error) {
      this.#logger.warn('audit: a receipt could not be kept', { error: messageOf(error) })
      return false
    }
  }

  /** Of a node, or by an auditor; the newest first. */
  list(filter: { readonly node: DidKey } | { readonly auditor: DidKey }, limit: number): AuditResult[] {
    const [column, id] = columnOf(filter)
    return this.#rows(`${column} = ? ORDER BY epoch DESC, node, auditor LIMIT ?`, id, limit).map((row) =>
      resultOf(decodeMessage(AuditReceiptSchema, row.body, KiB), row),
    )
  }

  /** As `list` finds them, by how they ended. */
  count(filter: { readonly node: DidKey } | { readonly auditor: DidKey }): VerdictCounts {
    const [column, id] = columnOf(filter)
    const counts = noVerdicts()
    const rows = this.#database
      .prepare(`SELECT verdict, count(*) AS count FROM receipts WHERE ${column} = ? GROUP BY verdict`)
      .all(id)
    for (const row of rows) {
      const verdict = VERDICTS[row['verdict'] as number]
      if (verdict !== undefined) counts[verdict] = row['count'] as number
    }
    return counts
  }

  /** What shows that a holder contradicted itself in an epoch; undefined where nothing does. */
  evidence(epoch: number, node: DidKey): AuditEvidence | undefined {
    const [row] = this.#rows('epoch = ? AND node = ? AND manifest IS NOT NULL LIMIT 1', epoch, node)
    if (row === undefined) return undefined
    return {
      manifest: { body: row.manifest, signature: row.manifest_signature },
      answer: { body: row.answer, signature: row.answer_signature },
    }
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #rows(where: string, ...values: (string | number)[]): Row[] {
    return this.#database.prepare(`SELECT * FROM receipts WHERE ${where}`).all(...values) as unknown as Row[]
  }

  #trim(): void {
    this.#database
      .prepare(
        `DELETE FROM receipts WHERE epoch < (SELECT epoch FROM receipts ORDER BY epoch DESC LIMIT 1 OFFSET ${MAX_RECEIPTS})`,
      )
      .run()
  }
}

function columnOf(filter: { readonly node: DidKey } | { readonly auditor: DidKey }): ['node' | 'auditor', DidKey] {
  return 'node' in filter ? ['node', filter.node] : ['auditor', filter.auditor]
}

function pathIn(directory: string): string {
  ensureDirectory(directory)
  return join(directory, 'audits.sqlite')
}
