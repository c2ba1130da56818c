import { killNode } from '@weft/devnet'
import { requestedDevnet, requestedNodes } from '../program/devnet-options.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const state = requestedDevnet(invocation)
  const killed = []
  for (const node of requestedNodes(invocation, state)) {
    const { name, id, pid } = await killNode(state, node)
    killed.push({ name, id, pid })
    output.print(`Killed ${name} (process ${pid}).`)
  }
  output.document({ killed })
}
