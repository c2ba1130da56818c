import { ProfileDesk } from '../daemon/profile-desk.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const { kind, profile, leftOut } = await new ProfileDesk(invocation).export(invocation.argument(0))
  const document = { kind, profile, leftOut }
  output.document(document)
  output.print(JSON.stringify({ schemaVersion: 1, ...document }, undefined, 2))
  if (leftOut.length > 0) output.note(`Left out, as it names what is on this machine: ${leftOut.join(', ')}`)
}
