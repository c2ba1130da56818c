import { ProfileDesk } from '../daemon/profile-desk.ts'
import { pendingLines, profileWords } from '../output/profile-lines.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const { profiles, pending } = await new ProfileDesk(invocation).list()
  output.document({ profiles, pending })
  const rows = profiles.map((profile) => [
    profile.name,
    profile.inUse ? output.styled('green', 'in use') : '',
    profile.builtIn ? 'built in' : 'own',
    profileWords(profile),
  ])
  output.print(...formatTable(['NAME', 'USE', 'KIND', 'SAYS'], rows))
  for (const line of pendingLines(pending)) output.note(line)
}
