import type { VpnStatusAnswer } from '@weft/node'
import { orLeftBehind } from '../daemon/left-behind.ts'
import { openApi } from '../daemon/open-api.ts'
import { vpnLines } from '../output/vpn-lines.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const asked = openApi(invocation).json<VpnStatusAnswer>('GET', '/api/v1/vpn', undefined, { signal })
  const status = await orLeftBehind(invocation, asked)
  output.document({ ...status })
  output.print(...vpnLines(status, Date.now(), invocation.flag('long'), output))
}
