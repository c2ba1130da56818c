import { ProfileDesk } from '../daemon/profile-desk.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const name = invocation.argument(0)
  await new ProfileDesk(invocation).delete(name)
  invocation.output.document({ deleted: name })
  invocation.output.note(`The profile ${name} is deleted.`)
}
