import { hostname } from 'node:os'
import { counted } from '@weft/core'
import { createNetwork } from '@weft/devnet'
import { ownHomeOf } from '../daemon/home.ts'
import type { Invocation } from '../program/invocation.ts'
import { usageError } from '../program/usage-error.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const home = ownHomeOf(invocation)
  const addresses = (invocation.text('address') ?? '').split(',').filter((address) => address !== '')
  if (addresses.length === 0) {
    throw usageError(
      'A network needs an address where others reach its first validator, and --address is missing.',
      `E.g.: weft network create ${invocation.argument(0)} --address /ip4/192.0.2.1/tcp/4780`,
    )
  }
  const created = await createNetwork({
    name: invocation.argument(0),
    home,
    addresses,
    family: invocation.text('family') ?? hostname().replaceAll(/[^A-Za-z0-9._-]/g, '-'),
    others: invocation.texts('validator').map(otherValidator),
    now: Date.now(),
  })
  output.document({ ...created })
  output.print(`network  ${created.id}`, `file     ${created.path}`, `this     ${created.validator}`)
  output.note(
    `${counted(created.validators, 'validator')}, of which ${created.quorum} must sign; four or more bear the loss of one. Give the file to everyone who is to join. Next, here: weft start --home ${home} --roles validator,storage`,
  )
}

/** ID=ADDRESS[,ADDRESS…][;FAMILY] */
function otherValidator(text: string): { id: string; addresses: string[]; family: string } {
  const [, id, addresses, family] = /^(did:key:z[^=]+)=([^;]+)(?:;(.+))?$/.exec(text) ?? []
  if (id === undefined || addresses === undefined) {
    throw usageError(
      `--validator '${text}' is not understood.`,
      'Write ID=ADDRESS, e.g. --validator did:key:z6Mk…=/ip4/192.0.2.7/tcp/4780, with ;FAMILY behind it where one person runs several.',
    )
  }
  return { id, addresses: addresses.split(','), family: family ?? id.slice(-8) }
}
