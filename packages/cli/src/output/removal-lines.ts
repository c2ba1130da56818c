import { counted, printable } from '@weft/core'
import type { RemovalAnswer } from '@weft/node'
import { formatBytes, formatTime, shortId } from './format.ts'
import type { Output } from './output.ts'
import { formatTable } from './table.ts'

/** How a removal stands, for people. */
export function removalLines(removal: RemovalAnswer, output: Output): string[] {
  const { object, name, size, removedAt, expiresAt, state, withdrawn, fault, holders } = removal
  const deleted = holders.filter((holder) => holder.state === 'deleted')
  const left = holders.filter((holder) => holder.state !== 'deleted')
  const shards = deleted.reduce((sum, { receipt }) => sum + (receipt?.shards ?? 0), 0)
  return [
    `object   ${object}`,
    `name     ${printable(name)} (${formatBytes(size)})`,
    `removed  ${formatTime(removedAt)}: its key is destroyed`,
    `records  ${withdrawn ? 'withdrawn' : output.styled('yellow', 'not withdrawn yet')}`,
    ...(holders.length === 0
      ? []
      : [`holders  ${deleted.length} of ${holders.length} signed that they deleted it, ${counted(shards, 'shard')}`]),
    ...left.map(
      ({ node, fault: why }) =>
        `  ${shortId(node)}  ${why === undefined ? 'not asked yet' : printable(`${why.cause} (${why.code})`)}`,
    ),
    ...(fault === undefined ? [] : [`  ${printable(`${fault.cause} (${fault.code})`)}`]),
    ...(state === 'open'
      ? [`The daemon goes on by itself until ${formatTime(expiresAt)}, when all shards expire.`]
      : []),
    ...(state === 'expired' ? [`Its shards expired at ${formatTime(expiresAt)}.`] : []),
  ]
}

/** The receipts, one a holder. */
export function receiptTable({ holders }: RemovalAnswer): string[] {
  const rows = holders.flatMap(({ node, receipt }) => {
    if (receipt === undefined) return []
    const { shards, bytes, at, until, signature } = receipt
    return [[node, String(shards), String(bytes), String(at), String(until), signature]]
  })
  return rows.length === 0 ? [] : formatTable(['HOLDER', 'SHARDS', 'BYTES', 'AT', 'UNTIL', 'SIGNATURE'], rows)
}
