import { printable } from '@weft/core'
import type { ImportAnswer } from '@weft/node'
import { formatBytes } from './format.ts'

type Counts = ImportAnswer['objects']

/** What came of an import, in words. */
export function importLines({ objects, versions, buckets, bytes, left }: ImportAnswer): string[] {
  const more = objects.left + versions.left - left.length
  return [
    `objects  ${countWords(objects)}`,
    `buckets  ${buckets} made; versions: ${countWords(versions)}`,
    `stored   ${formatBytes(bytes)}`,
    ...left.flatMap(({ name, object, fault }) => [
      `left     ${printable(name)}${object === undefined ? '' : ` (${object.slice(0, 8)}…)`}: ${printable(fault.cause)} (${fault.code})`,
      `         ${printable(fault.fix)}`,
    ]),
    ...(more > 0 ? [`         and ${more} more`] : []),
  ]
}

function countWords({ adopted, stored, present, left }: Counts): string {
  const words = [
    adopted > 0 && `${adopted} in the network still and yours to renew and remove`,
    stored > 0 && `${stored} stored anew`,
    present > 0 && `${present} here already`,
    left > 0 && `${left} left out`,
  ].filter((one) => one !== false)
  return words.length === 0 ? 'none' : words.join(', ')
}
