import { counted } from '@weft/core'
import type { ApiClient } from '@weft/devnet'
import type { RevocationsAnswer, RevokeAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { memberNamed } from '../daemon/member-named.ts'
import { shortId } from '../output/format.ts'
import type { Invocation } from '../program/invocation.ts'
import { usageError } from '../program/usage-error.ts'

/** 30 days. */
const DEFAULT_BLOCK_MS = 30 * 86_400_000

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const withdraw = invocation.flag('withdraw')
  const reason = withdraw ? 'withdrawn' : invocation.text('reason')
  if (reason === undefined)
    throw usageError('--reason is missing.', 'Say why: conformance, abuse, compromised, retired or equivocation.')
  const blockMs = withdraw ? 0 : (invocation.duration('for') ?? DEFAULT_BLOCK_MS)
  const api = openApi(invocation)
  const node = await nodeOf(api, invocation.argument(0), withdraw, signal)
  const answer = await api.json<RevokeAnswer>('POST', '/api/v1/revocations', { node, reason, blockMs }, { signal })
  output.document({ id: answer.id, votes: answer.votes, quorum: answer.quorum, decided: answer.decided })
  const what = withdraw ? `the way back of ${shortId(node)}` : `the ejection of ${shortId(node)}`
  if (answer.decided) {
    output.note(`Decided: ${what}, with ${counted(answer.votes, 'vote')}.`)
    return
  }
  output.note(
    `Voted for ${what}: ${answer.votes} of ${counted(answer.quorum, 'vote')}. The operators of other validators give theirs by the same command.`,
  )
}

/** Who is ejected is no member any more, and is found among those that were. */
async function nodeOf(api: ApiClient, text: string, withdraw: boolean, signal: AbortSignal): Promise<string> {
  if (!withdraw || text.startsWith('did:')) return memberNamed(api, text, signal)
  const { inForce } = await api.json<RevocationsAnswer>('GET', '/api/v1/revocations', undefined, { signal })
  const [match, other] = inForce.filter(({ id }) => id.endsWith(text))
  return match !== undefined && other === undefined ? match.id : memberNamed(api, text, signal)
}
