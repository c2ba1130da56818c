import type { StatusAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatTime } from '../output/format.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const { network, map } = await openApi(invocation).json<StatusAnswer>('GET', '/api/v1/status', undefined, { signal })
  output.document({ network, map })
  output.print(
    `name        ${network.name}`,
    `id          ${network.id}`,
    `simulated   ${network.simulated ? 'yes: addresses and places are inventions of a devnet' : 'no'}`,
    `validators  ${map.validators}, of which ${map.quorum} must sign`,
    map.epoch === undefined
      ? 'map         none yet'
      : `map         epoch ${map.epoch}${map.signedAt ? `, signed ${formatTime(map.signedAt)}` : ''}`,
  )
}
