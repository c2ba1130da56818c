import type { VpnStatusAnswer } from '@weft/node'
import { orLeftBehind } from '../daemon/left-behind.ts'
import { openApi } from '../daemon/open-api.ts'
import { killSwitchLine } from '../output/kill-switch-lines.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const asked = openApi(invocation).json<VpnStatusAnswer>('POST', '/api/v1/vpn/down', undefined, { signal })
  const status = await orLeftBehind(invocation, asked)
  output.document({ ...status })
  output.print('The proxy is closed, and no route is kept.')
  const { killSwitch } = status
  if (killSwitch?.state === 'on' || killSwitch?.state === 'damaged')
    output.print(
      killSwitchLine(killSwitch, output).trim(),
      'It stays so without a route; to unblock, as root: weft vpn killswitch off',
    )
}
