import type { VpnStatus } from '@weft/vpn'
import { type Metric, counter, gauge, one } from './metric.ts'

/** Of pay for circuits; samples where it is on, and of the books on a node that carries for others. */
export function receiptMetrics(receipts: VpnStatus['receipts']): Metric[] {
  const { purse, books } = receipts ?? {}
  return [
    gauge(
      'weft_receipt_tokens',
      'Tokens that this node can pay with.',
      receipts === undefined ? [] : one(receipts.tokens + (purse?.tokens ?? 0)),
    ),
    counter(
      'weft_receipts_paid_total',
      'Payments that hops of its routes took.',
      purse === undefined ? [] : one(purse.paid),
    ),
    gauge(
      'weft_receipts_owed',
      'Payments that this node has and has not redeemed.',
      books === undefined ? [] : one(books.owed),
    ),
    counter(
      'weft_receipts_settled_total',
      'Payments that it brought to their issuers, by what came of it.',
      books === undefined
        ? []
        : (['redeemed', 'refused', 'lapsed'] as const).map((result) => ({
            labels: { result },
            value: books[result],
          })),
      ['result'],
    ),
  ]
}
