import type { ApiClient } from '@weft/devnet'
import type { VpnChoicesAnswer } from '@weft/node'
import { choiceLines } from '../output/choice-lines.ts'
import type { Output } from '../output/output.ts'
import { memberNamed } from './member-named.ts'

/** Members that are named of each hop, of each kind: for people, and at most (docs/specs/http-api.md). */
const NAMED = 5
const NAMED_MOST = 100

/**
 * Shows how each hop of each leg was chosen, and the guards that legs begin at.
 * @param of a node of which it is to be told what it was for each hop, as lists print it
 * @throws WeftError E_NODE_NOT_FOUND; E_USAGE for an id that is none
 */
export async function explainRoute(
  api: ApiClient,
  of: string | undefined,
  output: Output,
  long: boolean,
  signal: AbortSignal,
): Promise<void> {
  const query = new URLSearchParams({ named: String(output.json ? NAMED_MOST : NAMED) })
  if (of !== undefined) query.set('node', await memberNamed(api, of, signal))
  const answer = await api.json<VpnChoicesAnswer>('GET', `/api/v1/vpn/route/why?${query}`, undefined, { signal })
  output.document({ ...answer })
  output.print(...choiceLines(answer, long, output))
}
