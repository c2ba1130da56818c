import { counted } from '@weft/core'
import type { NetworkAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatDuration, formatTime, shortId } from '../output/format.ts'
import { validatorLines } from '../output/validator-lines.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const { network, map } = await openApi(invocation).json<NetworkAnswer>('GET', '/api/v1/network', undefined, {
    signal,
  })
  output.document({ network, map })
  const id = (text: string): string => (invocation.flag('long') ? text : shortId(text))
  const minimums = Object.entries(network.minimums).map(
    ([role, minimum]) =>
      `${role} ${Object.entries(minimum)
        .map(([key, value]) => `${key} ${value}`)
        .join(', ')}`,
  )
  output.print(
    `name        ${network.name}`,
    `id          ${network.id}`,
    `begun       ${formatTime(network.createdAt)}`,
    `simulated   ${network.simulated ? 'yes: addresses and places are inventions of a devnet' : 'no'}`,
    `policy      ${network.policy.join(' or ')}`,
    ...(network.inviters.length === 0 ? [] : [`inviters    ${network.inviters.map(id).join(', ')}`]),
    ...(network.attesters.length === 0 ? [] : [`attesters   ${network.attesters.map(id).join(', ')}`]),
    ...(minimums.length === 0 ? [] : [`minimums    ${minimums.join('; ')}`]),
    network.term.number === 0
      ? 'term        0: the validators of the network file'
      : `term        ${network.term.number}, since epoch ${network.term.fromEpoch} (${formatTime(network.term.since)})`,
    ...validatorLines(network, id),
    rotationLine(network),
    `epochs      map ${formatDuration(network.mapEpochMs)}, audit ${formatDuration(network.auditEpochMs)}, reward ${formatDuration(network.rewardEpochMs)}`,
    map.epoch === undefined
      ? 'map         none yet'
      : `map         epoch ${map.epoch}${map.signedAt ? `, signed ${formatTime(map.signedAt)}` : ''}`,
  )
}

function rotationLine({ rotateMs, nextRotation, tolerated }: NetworkAnswer['network']): string {
  if (rotateMs === undefined) return 'rotation    none: a seat is kept by who has it'
  if (nextRotation === undefined) return 'rotation    none while no validator may be down'
  return `rotation    up to ${counted(tolerated, 'seat')} every ${formatDuration(rotateMs)}, for who asks for one; next ${formatTime(nextRotation)}`
}
