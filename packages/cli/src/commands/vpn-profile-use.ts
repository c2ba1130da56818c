import { ProfileDesk } from '../daemon/profile-desk.ts'
import { tellUse } from '../daemon/tell-use.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const desk = new ProfileDesk(invocation)
  const name = invocation.argument(0)
  const used = await desk.use(name)
  invocation.output.document({ ...used })
  await tellUse(invocation, `The profile ${name} is in use.`, used, desk.isRunning)
}
