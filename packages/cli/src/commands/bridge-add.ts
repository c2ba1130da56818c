import { join } from 'node:path'
import { BRIDGES_FILE, MAX_BRIDGE_LINE, addBridge, nameOf } from '@weft/bridge'
import { ownHomeOf } from '../daemon/home.ts'
import type { Invocation } from '../program/invocation.ts'
import { secretArgument } from '../program/secret-argument.ts'

export async function run(invocation: Invocation): Promise<void> {
  const home = ownHomeOf(invocation)
  const line = await secretArgument(invocation, {
    name: 'line of a bridge',
    limit: 2 * MAX_BRIDGE_LINE,
    source: 'weft bridge invite',
  })
  const name = nameOf(addBridge(join(home, BRIDGES_FILE), line))
  invocation.output.document({ added: name })
  invocation.output.note(
    `The bridge ${name} is added: from its next start on this node calls by its bridges, and nobody else. A daemon that runs has to be started anew.`,
  )
}
