import { ProfileDesk } from '../daemon/profile-desk.ts'
import { tellChange } from '../output/tell-change.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const desk = new ProfileDesk(invocation)
  const name = invocation.argument(0)
  const used = await desk.use(name)
  invocation.output.document({ ...used })
  tellChange(invocation.output, `The profile ${name} is in use.`, used, desk.isRunning)
}
