import { printable } from '@weft/core'
import type { ObjectsAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatBytes, formatTime } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { objects } = await openApi(invocation).json<ObjectsAnswer>('GET', '/api/v1/objects', undefined, {
    signal: invocation.signal,
  })
  const { output } = invocation
  output.document({ objects })
  if (objects.length === 0) {
    output.note('This node has stored nothing yet. To store a file: weft put FILE')
    return
  }
  const rows = objects.map(({ ref, name, size, class: className, createdAt, expiresAt }) => [
    name === '' ? '-' : printable(name),
    formatBytes(size),
    className,
    formatTime(createdAt),
    formatTime(expiresAt),
    ref,
  ])
  output.print(...formatTable(['NAME', 'SIZE', 'CLASS', 'STORED', 'EXPIRES', 'REF'], rows))
}
