import { WeftError } from '@weft/core'
import { type ApiClient, requireNodeId } from '@weft/devnet'
import type { MembersAnswer } from '@weft/node'
import { usageError } from '../program/usage-error.ts'

/**
 * A whole id goes as it is; the short form that lists print is looked up, and must name one member only.
 * @throws WeftError E_NODE_NOT_FOUND; E_USAGE for an id that is none
 */
export async function memberNamed(api: ApiClient, text: string, signal: AbortSignal): Promise<string> {
  if (text.startsWith('did:')) return requireNodeId(text, 'The id')
  if (text === '') throw usageError('The id is empty.', 'Give the id as weft members prints it.')
  const { members } = await api.json<MembersAnswer>('GET', '/api/v1/members', undefined, { signal })
  const [match, other] = members.filter(({ id }) => id.endsWith(text))
  if (match !== undefined && other === undefined) return match.id
  throw new WeftError({
    code: 'E_NODE_NOT_FOUND',
    cause: match === undefined ? `No member's id ends in '${text}'.` : `The ids of several members end in '${text}'.`,
    fix: 'Give the id as weft members --long prints it.',
  })
}
