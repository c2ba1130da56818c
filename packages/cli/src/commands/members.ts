import { counted } from '@weft/core'
import type { MembersAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatDuration, shortId } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const answer = await openApi(invocation).json<MembersAnswer>('GET', '/api/v1/members', undefined, {
    signal: invocation.signal,
  })
  const { output } = invocation
  output.document({ ...answer })
  if (answer.members.length === 0) {
    output.note('The signed map has no members yet. Why: weft check')
    return
  }
  const rows = answer.members.map((member) => [
    invocation.flag('long') ? member.id : shortId(member.id),
    member.layer,
    member.roles.join(','),
    `${member.certificate.signatures.length} of ${member.certificate.quorum}`,
    `${member.country} ${member.region}${member.regionStanding === 'bounded' ? '' : ` (${member.regionStanding})`}`,
    member.family,
    String(member.asn),
    member.self ? 'this node' : peerWords(member.peer),
  ])
  output.print(...formatTable(['NODE', 'LAYER', 'ROLES', 'VOTES', 'PLACE', 'FAMILY', 'ASN', 'LINK'], rows))
  output.note(`${counted(answer.members.length, 'member')} in map epoch ${answer.epoch ?? 'unknown'}`)
}

function peerWords({ state, rttMs }: MembersAnswer['members'][number]['peer']): string {
  return rttMs === undefined ? state : `${state}, ${formatDuration(rttMs)}`
}
