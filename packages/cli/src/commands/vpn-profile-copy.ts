import { ProfileDesk } from '../daemon/profile-desk.ts'
import { tellChange } from '../output/tell-change.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const desk = new ProfileDesk(invocation)
  const [from, to] = [invocation.argument(0), invocation.argument(1)]
  const { fields } = await desk.get(from)
  const made = await desk.put(to, fields, { replace: false, check: false })
  invocation.output.document({ ...made })
  tellChange(
    invocation.output,
    `The profile ${to} says what ${from} does. To change it: weft vpn profile set ${to}`,
    made,
    desk.isRunning,
  )
}
