import { ProfileDesk } from '../daemon/profile-desk.ts'
import { profileLines, warningLines } from '../output/profile-lines.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const profile = await new ProfileDesk(invocation).get(invocation.argument(0))
  output.document({ profile })
  output.print(...profileLines(profile), ...warningLines(profile.warnings, output))
}
