import { restartNode } from '@weft/devnet'
import { daemonCommand } from '../daemon/daemon-command.ts'
import { requestedDevnet, requestedNodes } from '../program/devnet-options.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const state = requestedDevnet(invocation)
  const daemon = daemonCommand()
  const restarted = await Promise.all(
    requestedNodes(invocation, state).map(async (name) => {
      const { node, pid } = await restartNode(state, name, { daemon, signal })
      output.print(`Started ${node.name} (process ${pid}).`)
      return { name: node.name, id: node.id, pid }
    }),
  )
  output.document({ restarted })
}
