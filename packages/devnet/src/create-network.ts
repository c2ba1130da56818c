import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, WeftError, ensureDirectory } from '@weft/core'
import { type DidKey, loadOrCreateKey } from '@weft/crypto'
import { makeStateDirectory } from './lifecycle/state-directory.ts'

export interface NewNetwork {
  /** Lower-case letters, digits and dashes. */
  readonly name: string
  /** The home of the node that becomes a genesis validator; its key is made when it has none. */
  readonly home: string
  /** Where others reach that node, `/ip4/ADDRESS/tcp/PORT`. */
  readonly addresses: readonly string[]
  readonly family: string
  /** Genesis validators of other people. */
  readonly others: readonly { readonly id: string; readonly addresses: readonly string[]; readonly family: string }[]
  /** ms since the epoch. */
  readonly now: number
}

export interface CreatedNetwork {
  readonly id: string
  readonly path: string
  readonly validator: string
  readonly validators: number
  readonly quorum: number
}

/**
 * Begins a network of its own: writes `network.json` into the home, checked as every node will check it.
 * @throws WeftError E_NETWORK_EXISTS, E_NETWORK_FILE, E_KEY_FILE, E_STATE_UNWRITABLE
 */
export async function createNetwork(options: NewNetwork): Promise<CreatedNetwork> {
  // Loaded here alone: the rest of this package does without the overlay's weight.
  const { networkIdOf, parseNetworkFile, quorumOf } = await import('@weft/overlay')
  makeStateDirectory(options.home)
  const key = loadOrCreateKey(join(options.home, 'node.key'))
  const own = { id: key.id, addresses: options.addresses, family: options.family }
  const text = JSON.stringify(
    {
      schemaVersion: 1,
      name: options.name,
      policy: 'open',
      createdAt: options.now,
      validators: [own, ...options.others].map(({ id, addresses, family }) => ({
        id: id as DidKey,
        addresses,
        roles: ['validator', 'storage'],
        family,
      })),
    },
    undefined,
    2,
  )
  const file = parseNetworkFile(text)
  const path = join(options.home, 'network.json')
  writeNew(path, `${text}\n`)
  return {
    id: networkIdOf(file),
    path,
    validator: key.id,
    validators: file.validators.length,
    quorum: quorumOf(file.validators.length),
  }
}

function writeNew(path: string, text: string): void {
  try {
    ensureDirectory(join(path, '..'))
    const file = openSync(path, 'wx', 0o600)
    try {
      writeSync(file, text)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new WeftError({
        code: 'E_NETWORK_EXISTS',
        cause: `${path} names a network already.`,
        fix: 'Name another home with --home, or remove the file when that network is to be left for good.',
      })
    }
    throw new WeftError({
      code: 'E_STATE_UNWRITABLE',
      cause: `${path} cannot be written: ${messageOf(error)}`,
      fix: 'Name a directory of your own with --home.',
      origin: error,
    })
  }
}
