import type { ChangedVpnProfileAnswer, VpnStatusAnswer } from '@weft/node'
import { blockedLines } from '../output/blocked-lines.ts'
import { faultLines } from '../output/fault-lines.ts'
import { tellChange } from '../output/tell-change.ts'
import type { Invocation } from '../program/invocation.ts'
import { openApi } from './open-api.ts'

/** As {@link tellChange}, of a profile that may be in use: with what its kill switch holds back, and why no route is as it says where that is so. */
export async function tellUse(
  invocation: Invocation,
  done: string,
  changed: Omit<ChangedVpnProfileAnswer, 'schemaVersion'>,
  isRunning: boolean,
): Promise<void> {
  const { output, signal } = invocation
  tellChange(output, done, changed, isRunning)
  const { profile, changes, checked } = changed
  if (checked || !profile.inUse || changes.length === 0) return
  const status = isRunning
    ? await openApi(invocation).json<VpnStatusAnswer>('GET', '/api/v1/vpn', undefined, { signal })
    : undefined
  if (status?.fault !== undefined) for (const line of faultLines(status.fault, output)) output.note(line)
  for (const line of blockedLines(changed, status)) output.note(line)
}
