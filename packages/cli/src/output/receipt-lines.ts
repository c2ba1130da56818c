import { counted } from '@weft/core'
import type { VpnStatusAnswer } from '@weft/node'
import { faultLines } from './fault-lines.ts'
import { shortId } from './format.ts'
import type { Output } from './output.ts'

/** How pay for circuits stands, for people. */
export function receiptLines(
  { issuers, tokens, purse, books, fault }: NonNullable<VpnStatusAnswer['receipts']>,
  long: boolean,
  output: Output,
): string[] {
  const idOf = (node: string): string => (long ? node : shortId(node))
  return [
    `tokens    ${tokens + (purse?.tokens ?? 0)} at hand${purse === undefined ? '' : `, ${purse.paid} paid`}`,
    ...(books === undefined
      ? []
      : [
          `received  ${books.owed} to be redeemed, ${books.redeemed} redeemed, ${books.refused} refused, ${books.lapsed} lapsed`,
        ]),
    ...issuers.flatMap(({ node, left, fault: why }) => [
      `issuer    ${idOf(node)}: ${left === undefined ? 'has not answered yet' : `${counted(left, 'token')} left for today`}`,
      ...(why === undefined || why.code === fault?.code ? [] : faultLines(why, output)),
    ]),
    ...(purse?.refused ?? []).map(({ node, why }) => `refused   by ${idOf(node)}: ${why}`),
    ...(purse?.overcharged ?? []).map((node) => `not paid  ${idOf(node)} said that more was due than it carried`),
    ...(fault === undefined ? [] : faultLines(fault, output)),
  ]
}
