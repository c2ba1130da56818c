import { counted } from '@weft/core'
import type { ApiClient } from '@weft/devnet'
import type { RevocationsAnswer, RevokeAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { memberNamed } from '../daemon/member-named.ts'
import { formatTime, shortId } from '../output/format.ts'
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
  const { schemaVersion: _, ...document } = answer
  output.document(document)
  for (const sentence of sentencesOf(answer, withdraw)) output.note(sentence)
}

/** What became of the vote. */
function sentencesOf(
  { id, votes, quorum, decided, reason, blockedUntil, apart, tookBack }: RevokeAnswer,
  withdraw: boolean,
): string[] {
  const node = shortId(id)
  const what = withdraw
    ? `the way back of ${node}`
    : `the ejection of ${node} (${reason}, until ${formatTime(blockedUntil)})`
  const known = 'Validators that know of this do not count it any more'
  if (withdraw && tookBack && !decided)
    return [
      `Took back the vote of this validator for the ejection of ${node}. ${known}; should the others eject it, this is a vote for its way back.`,
    ]
  const sentences = [
    decided
      ? `Decided: ${what}, with ${counted(votes, 'vote')}.`
      : `Voted for ${what}: ${votes} of ${counted(quorum, 'vote')}. The operators of other validators give theirs by the same command.`,
  ]
  if (tookBack)
    sentences.push(
      `The earlier vote of this validator for ${withdraw ? 'the ejection' : 'the way back'} is taken back. ${known}.`,
    )
  if (apart > 0)
    sentences.push(
      `${counted(apart, 'validator')} voted for its ejection for another time, which does not add up with this: see weft network revocations, and agree on --for.`,
    )
  return sentences
}

/** Who is ejected is no member any more, and is found among those that were. */
async function nodeOf(api: ApiClient, text: string, withdraw: boolean, signal: AbortSignal): Promise<string> {
  if (!withdraw || text.startsWith('did:key:')) return memberNamed(api, text, signal)
  const { inForce, pending } = await api.json<RevocationsAnswer>('GET', '/api/v1/revocations', undefined, { signal })
  const ids = new Set([...inForce, ...pending].map(({ id }) => id).filter((id) => id.endsWith(text)))
  const [match, other] = ids
  return match !== undefined && other === undefined ? match : memberNamed(api, text, signal)
}
