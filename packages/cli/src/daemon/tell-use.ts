import type { ChangedVpnProfileAnswer, VpnStatusAnswer } from '@weft/node'
import { blockedLines } from '../output/blocked-lines.ts'
import { tellChange } from '../output/tell-change.ts'
import type { Invocation } from '../program/invocation.ts'
import { openApi } from './open-api.ts'

/** As {@link tellChange}, of a profile that may be in use: with what its kill switch holds back. */
export async function tellUse(
  invocation: Invocation,
  done: string,
  changed: Omit<ChangedVpnProfileAnswer, 'schemaVersion'>,
  isRunning: boolean,
): Promise<void> {
  const { output, signal } = invocation
  tellChange(output, done, changed, isRunning)
  if (blockedLines(changed, undefined).length === 0) return
  const status = isRunning
    ? await openApi(invocation).json<VpnStatusAnswer>('GET', '/api/v1/vpn', undefined, { signal })
    : undefined
  for (const line of blockedLines(changed, status)) output.note(line)
}
