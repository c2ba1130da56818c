import { closeSync, existsSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, WeftError, ensureDirectory, isWeftError } from '@weft/core'
import { type DidKey, SigningKey, loadOrCreateKey } from '@weft/crypto'
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
 * When it fails it leaves nothing of its own behind.
 * @throws WeftError E_NETWORK_EXISTS, E_NETWORK_FILE, E_KEY_FILE, E_STATE_UNWRITABLE
 */
export async function createNetwork(options: NewNetwork): Promise<CreatedNetwork> {
  // Loaded here alone: the rest of this package does without the overlay's weight.
  const { networkIdOf, parseNetworkFile, quorumOf } = await import('@weft/overlay')
  const path = join(options.home, 'network.json')
  // With a key of nobody: what cannot become a network file is refused before anything is made.
  parseNetworkFile(networkText(options, SigningKey.generate().id))
  if (existsSync(path)) throw networkExists(path)
  const undo = undoMaking(options.home)
  try {
    makeStateDirectory(options.home)
    const { id } = loadOrCreateKey(join(options.home, 'node.key'))
    const text = networkText(options, id)
    const file = parseNetworkFile(text)
    writeNew(path, `${text}\n`)
    return {
      id: networkIdOf(file),
      path,
      validator: id,
      validators: file.validators.length,
      quorum: quorumOf(file.validators.length),
    }
  } catch (error) {
    // Another one was quicker: what is there is its own.
    if (!isWeftError(error, 'E_NETWORK_EXISTS')) undo()
    throw error
  }
}

function networkText({ name, now, addresses, family, others }: NewNetwork, id: DidKey): string {
  const validators = [{ id, addresses, family }, ...others].map((validator) => ({
    id: validator.id,
    addresses: validator.addresses,
    roles: ['validator', 'storage'],
    family: validator.family,
  }))
  return JSON.stringify({ schemaVersion: 1, name, policy: 'open', createdAt: now, validators }, undefined, 2)
}

/** @returns takes away what was made in the meantime: the home, or the key in a home that was there. */
function undoMaking(home: string): () => void {
  const made = [home, join(home, 'node.key')].find((path) => !existsSync(path))
  return () => {
    if (made !== undefined) rmSync(made, { recursive: true, force: true })
  }
}

function writeNew(path: string, text: string): void {
  try {
    ensureDirectory(join(path, '..'))
    const file = openSync(path, 'wx', 0o600)
    try {
      writeFileSync(file, text)
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw networkExists(path)
    }
    throw new WeftError({
      code: 'E_STATE_UNWRITABLE',
      cause: `${path} cannot be written: ${messageOf(error)}`,
      fix: 'Name a directory of your own with --home.',
      origin: error,
    })
  }
}

function networkExists(path: string): WeftError {
  return new WeftError({
    code: 'E_NETWORK_EXISTS',
    cause: `${path} names a network already.`,
    fix: 'Name another home with --home, or remove the file when that network is to be left for good.',
  })
}
