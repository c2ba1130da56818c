import { hostname } from 'node:os'
import { counted } from '@weft/core'
import { createNetwork } from '@weft/devnet'
import { loadConfig } from '@weft/node'
import { ownHomeOf } from '../daemon/home.ts'
import { validatorStart } from '../output/join-words.ts'
import { configuredRoles } from '../program/configured-roles.ts'
import type { Invocation } from '../program/invocation.ts'
import { usageError } from '../program/usage-error.ts'

/** Of fewer none may be down, and so none gives up its seat. */
const LEAST_ROTATING = 4

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const home = ownHomeOf(invocation)
  const addresses = listOf(invocation.text('address') ?? '')
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
    family: invocation.text('family') ?? (await familyOf(home, invocation.env)) ?? familyOfMachine(),
    others: invocation.texts('validator').map(otherValidator),
    policy: listOf(invocation.text('policy') ?? 'open'),
    inviters: invocation.texts('inviter'),
    attesters: invocation.texts('attester'),
    mapEpochMs: invocation.duration('mapEpoch'),
    rotateMs: invocation.duration('rotate'),
    now: Date.now(),
  })
  output.document({ ...created })
  output.print(
    `network  ${created.id}`,
    `policy   ${created.policy.join(' or ')}`,
    `file     ${created.path}`,
    `this     ${created.validator}`,
  )
  const others =
    created.validators > 1
      ? `. Give the file to the other validators, who have their keys already: weft init --network FILE --network-id ${created.id}`
      : ''
  if (invocation.duration('rotate') !== undefined && created.validators < LEAST_ROTATING)
    output.note(
      `Seats rotate only while ${LEAST_ROTATING} validators or more sit: of ${created.validators} none may be down.`,
    )
  output.note(
    `${counted(created.validators, 'validator')}, of which ${created.quorum} must sign; four or more bear the loss of one. Next, here: ${validatorStart(home, await configuredRoles(home, invocation.env))}. Then, for everyone who is to join: weft network invite${others}`,
  )
}

/** What weft.toml or the environment says: the node is started with the same. @throws WeftError E_CONFIG_INVALID, E_CONFIG_UNKNOWN */
async function familyOf(home: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { values } = await loadConfig(['--home', home], env)
  return values['node.family']
}

/** The name of this machine as a family is written; one of other letters leaves nothing to go by. */
function familyOfMachine(): string {
  const name = hostname()
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64)
  return name === '' ? 'first' : name
}

function listOf(text: string): string[] {
  return text.split(',').filter((item) => item !== '')
}

/** ID=ADDRESS[,ADDRESS…][;FAMILY] */
function otherValidator(text: string): { id: string; addresses: string[]; family: string } {
  const [, id, addresses, family] = /^([^=]+)=([^;]+)(?:;(.+))?$/.exec(text) ?? []
  if (id === undefined || addresses === undefined) {
    throw usageError(
      `--validator '${text}' is not understood.`,
      'Write ID=ADDRESS, e.g. --validator did:key:z6Mk…=/ip4/192.0.2.7/tcp/4780, with ;FAMILY behind it where one person runs several.',
    )
  }
  return { id, addresses: listOf(addresses), family: family ?? id.slice(-8) }
}
