import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { WeftError, isWeftError } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import { HomeChanges, networkExists } from './home-changes.ts'
import type { NewNetwork } from './new-network.ts'
import { requireNetworkOptions } from './require-network-options.ts'

export interface CreatedNetwork {
  readonly id: string
  readonly path: string
  readonly validator: string
  readonly validators: number
  readonly quorum: number
  readonly policy: readonly string[]
}

/**
 * Begins a network of its own: writes `network.json` into the home, checked as every node will check it.
 * When it fails it leaves nothing of its own behind.
 * @throws WeftError E_USAGE by the name of the option, E_NETWORK_EXISTS, E_NETWORK_FILE, E_POLICY_UNAVAILABLE, E_KEY_FILE, E_STATE_UNWRITABLE, E_DISK_FULL
 */
export async function createNetwork(options: NewNetwork): Promise<CreatedNetwork> {
  // Loaded here alone: the rest of this package does without the overlay's weight.
  const { networkIdOf, parseNetworkFile, quorumOf, requireUsablePolicy, waysOf } = await import('@weft/overlay')
  await requireNetworkOptions(options)
  const path = join(options.home, 'network.json')
  // With a key of nobody: what cannot become a network file is refused before anything is made.
  requireUsablePolicy(parseNetworkFile(networkText(options, SigningKey.generate().id)))
  if (existsSync(path)) throw networkExists(path)
  const changes = new HomeChanges(options.home)
  try {
    const { id } = changes.nodeKey()
    if (options.others.some((other) => other.id === id)) throw namedItself(id)
    const text = networkText(options, id)
    const file = parseNetworkFile(text)
    changes.add('network.json', `${text}\n`)
    return {
      id: networkIdOf(file),
      path,
      validator: id,
      validators: file.validators.length,
      quorum: quorumOf(file.validators.length),
      policy: waysOf(file.policy),
    }
  } catch (error) {
    // Another one was quicker: what is there is its own.
    if (!isWeftError(error, 'E_NETWORK_EXISTS')) changes.undo()
    throw error
  }
}

function namedItself(id: DidKey): WeftError {
  return new WeftError({
    code: 'E_USAGE',
    cause: `--validator names ${id}, which is this node.`,
    fix: 'Give --validator for the others only: this node is one by itself, at --address.',
  })
}

function networkText(network: NewNetwork, id: DidKey): string {
  const { name, now, addresses, family, others, policy, inviters, attesters = [], mapEpochMs, rotateMs } = network
  const validators = [{ id, addresses, family }, ...others].map((validator) => ({
    id: validator.id,
    addresses: validator.addresses,
    roles: ['validator', 'storage'],
    family: validator.family,
  }))
  const file = {
    schemaVersion: 1,
    name,
    policy: policy.length === 1 ? policy[0] : policy,
    ...(inviters.length === 0 ? {} : { inviters }),
    ...(attesters.length === 0 ? {} : { attesters }),
    ...(mapEpochMs === undefined ? {} : { mapEpochMs }),
    ...(rotateMs === undefined ? {} : { rotateMs }),
    createdAt: now,
    validators,
  }
  return JSON.stringify(file, undefined, 2)
}
