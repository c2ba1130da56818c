import { ProfileDesk } from '../daemon/profile-desk.ts'
import { profileLines } from '../output/profile-lines.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const profile = await new ProfileDesk(invocation).get(invocation.argument(0))
  invocation.output.document({ profile })
  invocation.output.print(...profileLines(profile))
}
