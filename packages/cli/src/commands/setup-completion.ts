import { completionScript, type Shell } from '../program/completion.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const shell = invocation.argument(0) as Shell
  const script = completionScript(shell, invocation.commands)
  invocation.output.document({ shell, script })
  invocation.output.print(script.trimEnd())
}
