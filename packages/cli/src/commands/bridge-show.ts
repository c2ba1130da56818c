import { join } from 'node:path'
import { BRIDGES_FILE, nameOf, readBridges } from '@weft/bridge'
import type { BridgeAnswer } from '@weft/node'
import { ApiClient } from '@weft/devnet'
import { ownHomeOf } from '../daemon/home.ts'
import { faultLines } from '../output/fault-lines.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

/** Those of the home; and how they do, where a daemon runs. */
export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const home = ownHomeOf(invocation)
  const known = readBridges(join(home, BRIDGES_FILE)).map(nameOf)
  const running = await new ApiClient(home)
    .json<BridgeAnswer>('GET', '/api/v1/bridge', undefined, { signal })
    .then(({ bridges }) => bridges)
    .catch(() => undefined)
  const bridges = known.map((name) => ({ name, ...running?.find((each) => each.name === name) }))
  output.document({ running: running !== undefined, bridges })
  if (bridges.length === 0) {
    output.note('This node calls members by itself. To call by a bridge: weft bridge add -')
    return
  }
  const rows = bridges.map(({ name, state }) => [
    name,
    state ?? (running === undefined ? '-' : 'from the next start on'),
  ])
  output.print(...formatTable(['BRIDGE', 'STATE'], rows))
  for (const { fault } of bridges) if (fault !== undefined) output.print(...faultLines(fault, output))
  if (running === undefined) output.note('No daemon runs with this home, so that nothing is known of how they do.')
}
