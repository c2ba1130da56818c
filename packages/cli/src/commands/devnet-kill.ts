import { killNode } from '@weft/devnet'
import { requestedDevnet } from '../program/devnet-options.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const state = requestedDevnet(invocation)
  const killed = []
  for (const node of invocation.args) {
    const { name, id, pid } = await killNode(state, node)
    killed.push({ name, id, pid })
    output.print(`Killed ${name} (process ${pid}).`)
  }
  output.document({ killed })
}
