import type { Fault } from '@weft/core'
import { ApiClient } from '../api/api-client.ts'
import type { DevnetNode } from './devnet-state.ts'

/** ms; a node that does not answer in that time has nothing to say. */
const ASK_MS = 2_000

interface StatusAnswer {
  readonly admission?: { readonly state: string; readonly fault?: Fault; readonly faults?: readonly Fault[] }
}

/** Why nodes are not admitted, in their own words; nodes that do not answer, or name no fault, are left out. */
export async function admissionFaults(
  nodes: readonly DevnetNode[],
): Promise<readonly { readonly name: string; readonly fault: Fault }[]> {
  const answers = await Promise.allSettled(
    nodes.map((node) =>
      new ApiClient(node.home).json<StatusAnswer>('GET', '/api/v1/status', undefined, {
        signal: AbortSignal.timeout(ASK_MS),
      }),
    ),
  )
  return answers.flatMap((answer, index) => {
    const admission = answer.status === 'fulfilled' ? answer.value.admission : undefined
    const fault = admission?.fault ?? admission?.faults?.[0]
    const name = nodes[index]?.name
    return fault === undefined || name === undefined ? [] : [{ name, fault }]
  })
}
