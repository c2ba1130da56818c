import { join } from 'node:path'
import { BRIDGES_FILE, readBridges, removeBridge } from '@weft/bridge'
import { ownHomeOf } from '../daemon/home.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const path = join(ownHomeOf(invocation), BRIDGES_FILE)
  const name = invocation.argument(0)
  removeBridge(path, name)
  const left = readBridges(path).length
  invocation.output.document({ removed: name, left })
  invocation.output.note(
    left === 0
      ? `The bridge ${name} is forgotten, and it was the last: from its next start on this node calls members by itself, for everybody on its line to see.`
      : `The bridge ${name} is forgotten. A daemon that runs has to be started anew.`,
  )
}
