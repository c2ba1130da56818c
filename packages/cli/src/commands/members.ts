import { counted } from '@weft/core'
import type { MemberAnswer, MembersAnswer, OneMemberAnswer } from '@weft/node'
import { memberNamed } from '../daemon/member-named.ts'
import { openApi } from '../daemon/open-api.ts'
import { formatDuration, shortId } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const [member] = invocation.args
  return member === undefined ? showAll(invocation) : showOne(invocation, member)
}

async function showAll(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const answer = await openApi(invocation).json<MembersAnswer>('GET', '/api/v1/members', undefined, { signal })
  output.document({ ...answer })
  if (answer.members.length === 0) {
    output.note('The signed map has no members yet. Why: weft check')
    return
  }
  output.print(...tableOf(answer.members, invocation))
  output.note(`${counted(answer.members.length, 'member')} in map epoch ${answer.epoch ?? 'unknown'}`)
}

async function showOne(invocation: Invocation, name: string): Promise<void> {
  const { output, signal } = invocation
  const api = openApi(invocation)
  const id = await memberNamed(api, name, signal)
  const path = `/api/v1/members/${encodeURIComponent(id)}`
  const answer = await api.json<OneMemberAnswer>('GET', path, undefined, { signal })
  output.document({ ...answer })
  const { member } = answer
  output.print(...tableOf([member], invocation))
  const { epoch, quorum, signatures } = member.certificate
  const voters = signatures.map(({ validator }) => (invocation.flag('long') ? validator : shortId(validator)))
  output.note(`Certified in epoch ${epoch} with ${counted(quorum, 'vote')} at least; ${voters.length} shown.`)
  output.print(...voters.map((voter) => `  voted: ${voter}`))
}

function tableOf(members: readonly MemberAnswer[], invocation: Invocation): string[] {
  const isLong = invocation.flag('long')
  const rows = members.map((member) => [
    isLong ? member.id : shortId(member.id),
    member.layer,
    member.roles.join(','),
    `${member.country} ${member.region}${member.regionStanding === 'bounded' ? '' : ` (${member.regionStanding})`}`,
    member.family,
    String(member.asn),
    member.self ? 'this node' : peerWords(member.peer),
    ...(isLong ? [loadWords(member)] : []),
  ])
  return formatTable(['NODE', 'LAYER', 'ROLES', 'PLACE', 'FAMILY', 'ASN', 'LINK', ...(isLong ? ['LOAD'] : [])], rows)
}

/** Empty for a node that carries no packets. */
function loadWords({ roles, load }: MemberAnswer): string {
  if (load !== undefined) return load.step
  return ['entry', 'relay', 'exit'].some((role) => roles.includes(role)) ? 'unknown' : ''
}

function peerWords({ state, rttMs }: MemberAnswer['peer']): string {
  return rttMs === undefined ? state : `${state}, ${formatDuration(rttMs)}`
}
