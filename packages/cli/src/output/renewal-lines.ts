import { printable } from '@weft/core'
import type { RenewalAnswer } from '@weft/node'
import { formatTime, shortId } from './format.ts'
import type { Output } from './output.ts'

/** How a renewal stands, for people. */
export function renewalLines(renewal: RenewalAnswer, output: Output): string[] {
  const { object, name, expiresAt, until, state, records, fault, holders } = renewal
  const renewed = holders.filter((holder) => holder.state === 'renewed').length
  const left = holders.filter((holder) => holder.state !== 'renewed')
  const isKept = expiresAt >= until
  return [
    `object   ${object}`,
    `name     ${printable(name)}`,
    `expires  ${formatTime(expiresAt)}${isKept ? '' : output.styled('yellow', ` (${formatTime(until)} is asked for)`)}`,
    ...(records.total === undefined ? [] : [`records  ${records.renewed} of ${records.total} written anew`]),
    ...(holders.length === 0 ? [] : [`holders  ${renewed} of ${holders.length} keep it for longer`]),
    ...left.map(
      ({ node, fault: why }) =>
        `  ${shortId(node)}  ${why === undefined ? 'not asked yet' : printable(`${why.cause} (${why.code})`)}`,
    ),
    ...(fault === undefined ? [] : [`  ${printable(`${fault.cause} (${fault.code})`)}`]),
    ...(state === 'open' ? ['The daemon goes on by itself until the former end of the object.'] : []),
  ]
}
