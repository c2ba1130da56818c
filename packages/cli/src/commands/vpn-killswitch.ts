import { killSwitchOff, killSwitchOn, killSwitchStatus } from '@weft/node'
import { homeOf } from '../daemon/home.ts'
import { FailedDocument } from '../output/failed-document.ts'
import { killSwitchLines, stricterLines } from '../output/kill-switch-lines.ts'
import type { Invocation } from '../program/invocation.ts'
import { usageError } from '../program/usage-error.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const { fault, ...status } = await act(invocation)
  // That it blocks is what it is there for.
  const isAsAsked = fault === undefined || status.state === 'on'
  if (!isAsAsked) {
    output.print(...killSwitchLines(status, output))
    throw new FailedDocument(fault, { ...status })
  }
  output.document({ ...status, ...(fault !== undefined && { fault }) })
  output.print(...killSwitchLines(status, output))
  for (const line of stricterLines(status, invocation.flag('allowLan'))) output.note(line)
}

function act(invocation: Invocation): ReturnType<typeof killSwitchStatus> {
  const action = invocation.argument(0)
  const how = { allowLan: invocation.flag('allowLan'), boot: invocation.flag('boot') }
  if (action === 'on') return killSwitchOn(homeOf(invocation), invocation.env, how)
  if (how.allowLan || !how.boot)
    throw usageError(`--allow-lan and --no-boot say how it is put on, not ${action}.`, 'Leave them out.')
  return action === 'off' ? killSwitchOff() : killSwitchStatus()
}
