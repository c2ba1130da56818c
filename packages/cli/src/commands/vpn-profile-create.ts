import { ProfileDesk } from '../daemon/profile-desk.ts'
import { tellChange } from '../output/tell-change.ts'
import type { Invocation } from '../program/invocation.ts'
import { givenFields } from '../program/profile-fields.ts'

export async function run(invocation: Invocation): Promise<void> {
  const desk = new ProfileDesk(invocation)
  const name = invocation.argument(0)
  const made = await desk.put(name, givenFields(invocation), { replace: false, check: false })
  invocation.output.document({ ...made })
  tellChange(
    invocation.output,
    `The profile ${name} is created. To use it: weft vpn profile use ${name}`,
    made,
    desk.isRunning,
  )
}
