import { counted, printable } from '@weft/core'
import type { ResourcesAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatBytes, formatTime, shortId } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

type Descriptor = ResourcesAnswer['members'][number]['resources']

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const answer = await openApi(invocation).json<ResourcesAnswer>('GET', '/api/v1/resources', undefined, { signal })
  output.document({ ...answer })
  const { members, totals } = answer
  if (members.length === 0) {
    output.note('No member says anything of its machine. Say it of this one: weft config explain resources.site')
    return
  }
  const rows = members.map(({ id, country, region, simulated, resources }) => [
    invocation.flag('long') ? id : shortId(id),
    resources.site,
    `${country} ${region}${simulated ? ' (simulated)' : ''}`,
    capacityWords(resources),
    energyWords(resources),
    [resources.provider, resources.hardware].flatMap((text) => (text === undefined ? [] : printable(text))).join('; '),
  ])
  output.print(...formatTable(['NODE', 'SITE', 'PLACE', 'CAPACITY', 'ENERGY', 'PROVIDER; HARDWARE'], rows))
  output.note(
    `${totals.described} of ${counted(totals.members, 'member')} say what they have: ${capacityWords(totals)}. ${checked(totals.attested)}`,
  )
}

/** How many descriptors have a part that somebody else vouches for. */
function checked(attested: number): string {
  return attested === 0 ? 'Nobody checked it.' : `The energy of ${attested} is attested; nobody checked the rest.`
}

function capacityWords({ capacity = {} }: Pick<Descriptor, 'capacity'>): string {
  const { cores, accelerators, memoryBytes, storageBytes, uploadMbps, downloadMbps } = capacity
  const words = [
    ...(cores === undefined ? [] : [counted(cores, 'core')]),
    ...(accelerators === undefined ? [] : [counted(accelerators, 'accelerator')]),
    ...(memoryBytes === undefined ? [] : [`${formatBytes(memoryBytes)} memory`]),
    ...(storageBytes === undefined ? [] : [`${formatBytes(storageBytes)} storage`]),
    ...(uploadMbps === undefined ? [] : [`${uploadMbps} Mbit/s up`]),
    ...(downloadMbps === undefined ? [] : [`${downloadMbps} Mbit/s down`]),
  ]
  return words.length === 0 ? '-' : words.join(', ')
}

function energyWords({ energy }: Descriptor): string {
  if (energy === undefined) return '-'
  const { grid, source, carbon, attester, notAfter } = energy
  const words = [grid, source, carbon === undefined ? undefined : `${carbon} g/kWh`].filter(
    (word) => word !== undefined,
  )
  const evidence =
    attester === undefined || notAfter === undefined
      ? 'declared'
      : `attested by ${shortId(attester)} until ${formatTime(notAfter)}`
  return `${words.join(' ')} (${evidence})`
}
