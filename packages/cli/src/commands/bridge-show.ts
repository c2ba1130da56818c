import { join } from 'node:path'
import { BRIDGES_FILE, nameOf, readBridges } from '@weft/bridge'
import { isWeftError } from '@weft/core'
import type { BridgeAnswer } from '@weft/node'
import { ApiClient } from '@weft/devnet'
import { ownHomeOf } from '../daemon/home.ts'
import { bridgeRows, bridgeStateWords } from '../output/bridge-rows.ts'
import { faultLines } from '../output/fault-lines.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

/** Those of the home; and how they do, where a daemon runs. */
export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const home = ownHomeOf(invocation)
  const kept = readBridges(join(home, BRIDGES_FILE)).map(nameOf)
  const running = await readRunning(home, signal)
  const isRunning = running !== undefined
  const bridges = bridgeRows(kept, running)
  output.document({ running: isRunning, bridges })
  if (bridges.length === 0) {
    output.note('This node calls members by itself. To call by a bridge: weft bridge add -')
    return
  }
  const rows = bridges.map((each) => [each.name, bridgeStateWords(each, isRunning)])
  output.print(...formatTable(['BRIDGE', 'STATE'], rows))
  for (const { fault } of bridges) if (fault !== undefined) output.print(...faultLines(fault, output))
  if (!isRunning) output.note('No daemon runs with this home, so that nothing is known of how they do.')
}

/** Undefined where no daemon runs. */
async function readRunning(home: string, signal: AbortSignal): Promise<BridgeAnswer['bridges'] | undefined> {
  try {
    const { bridges } = await new ApiClient(home).json<BridgeAnswer>('GET', '/api/v1/bridge', undefined, { signal })
    return bridges
  } catch (error) {
    if (isWeftError(error, 'E_DAEMON_NOT_RUNNING')) return undefined
    throw error
  }
}
