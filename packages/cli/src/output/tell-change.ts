import type { ChangedVpnProfileAnswer } from '@weft/node'
import type { Output } from './output.ts'
import { changeLines, pendingLines, warningLines } from './profile-lines.ts'

/** What a change of a profile did, for people. @param done the sentence that says so */
export function tellChange(
  output: Output,
  done: string,
  { profile, changes, pending }: Omit<ChangedVpnProfileAnswer, 'schemaVersion'>,
  isRunning: boolean,
): void {
  output.note(done)
  output.print(...changeLines(changes))
  for (const line of warningLines(profile.warnings, output)) output.note(line)
  if (!profile.inUse) return
  if (!isRunning) output.note('No daemon runs with this home: one follows it from its start.')
  for (const line of pendingLines(pending)) output.note(line)
}
