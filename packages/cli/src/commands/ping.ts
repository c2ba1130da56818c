import { WeftError } from '@weft/core'
import type { ApiClient } from '@weft/devnet'
import type { MembersAnswer, PingAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { shortId } from '../output/format.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const api = openApi(invocation)
  const id = await memberOf(api, invocation.argument(0), signal)
  const times: number[] = []
  for (let left = invocation.integer('count', 1, 1_000) ?? 1; left > 0; left--) {
    const { rttMs } = await api.json<PingAnswer>('POST', `/api/v1/peers/${encodeURIComponent(id)}/ping`, undefined, {
      signal,
    })
    times.push(rttMs)
    output.print(`${shortId(id)}  ${rttMs.toFixed(2)} ms`)
  }
  output.document({ id, rttMs: times.at(-1), times })
}

/** A whole id goes as it is; the short form that lists print is looked up, and must name one member only. */
async function memberOf(api: ApiClient, text: string, signal: AbortSignal): Promise<string> {
  if (text.startsWith('did:key:')) return text
  const { members } = await api.json<MembersAnswer>('GET', '/api/v1/members', undefined, { signal })
  const [match, other] = members.filter(({ id }) => id.endsWith(text))
  if (match !== undefined && other === undefined) return match.id
  throw new WeftError({
    code: 'E_NODE_NOT_FOUND',
    cause: match === undefined ? `No member's id ends in '${text}'.` : `The ids of several members end in '${text}'.`,
    fix: 'Give the id as weft members --long prints it.',
  })
}
