import { counted } from '@weft/core'
import type { LeasesAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { faultLines } from '../output/fault-lines.ts'
import { formatDuration, shortId } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const answer = await openApi(invocation).json<LeasesAnswer>('GET', '/api/v1/leases', undefined, {
    signal: invocation.signal,
  })
  output.document({ ...answer })
  const now = Date.now()
  output.print(...ownWords(answer.own, now, output))
  if (answer.fault !== undefined) {
    output.print(...faultLines(answer.fault, output))
    return
  }
  if (answer.leases.length === 0) {
    output.note('No client holds a lease.')
    return
  }
  const rows = answer.leases.map(({ id, uses, expiresAt, votes, self }) => [
    invocation.flag('long') ? id : shortId(id),
    uses.join(','),
    String(votes.length),
    `${formatDuration(expiresAt - now)}${self ? ' (this node)' : ''}`,
  ])
  output.print(...formatTable(['NODE', 'LENDS', 'VOTES', 'ENDS IN'], rows))
  output.note(`${counted(answer.leases.length, 'client')} with a lease`)
}

function ownWords(own: LeasesAnswer['own'], now: number, output: Output): string[] {
  switch (own.state) {
    case 'none':
      return []
    case 'held':
      return [
        `This node holds a lease to ${own.uses.join(' and ')} for ${formatDuration(own.expiresAt - now)} more; ${counted(own.listedBy, 'validator')} list it.`,
      ]
    case 'asking':
      return [
        `This node has asked for a lease for ${formatDuration(now - own.since)}: ${own.votes} of the ${own.quorum} votes needed.`,
        ...own.faults.flatMap(({ validator, ...fault }) => [
          `Validator ${shortId(validator)}:`,
          ...faultLines(fault, output),
        ]),
      ]
  }
}
