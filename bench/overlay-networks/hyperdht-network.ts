import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { NODES, type RealNetwork, VALUE } from './real-network.ts'

/** The part of hyperdht that is used here; it has no types of its own. */
interface HyperDht {
  mutablePut(keyPair: KeyPair, value: Uint8Array): Promise<unknown>
  mutableGet(publicKey: Uint8Array): Promise<{ readonly value: Uint8Array } | null>
  immutablePut(value: Uint8Array): Promise<{ readonly hash: Uint8Array }>
  immutableGet(hash: Uint8Array): Promise<{ readonly value: Uint8Array } | null>
  findNode(target: Uint8Array): { finished(): Promise<void> }
}
interface KeyPair {
  readonly publicKey: Uint8Array
}
interface Testnet {
  readonly nodes: readonly HyperDht[]
  createNode(): HyperDht & { fullyBootstrapped(): Promise<void> }
  destroy(): Promise<void>
}

const require = createRequire(import.meta.url)
const createTestnet = require('hyperdht/testnet.js') as (size: number) => Promise<Testnet>
const { keyPair } = require('hyperdht') as { readonly keyPair: () => KeyPair }

/** Its own network for tests: UDP, values in memory, no node proves who it is. */
export class HyperDhtNetwork implements RealNetwork {
  readonly #testnet: Testnet
  readonly #client: HyperDht
  readonly #keys: KeyPair[] = []
  readonly #hashes: Uint8Array[] = []
  #reads = 0

  private constructor(testnet: Testnet, client: HyperDht) {
    this.#testnet = testnet
    this.#client = client
  }

  static async start(): Promise<HyperDhtNetwork> {
    const testnet = await createTestnet(NODES)
    const client = testnet.createNode()
    await client.fullyBootstrapped()
    return new HyperDhtNetwork(testnet, client)
  }

  async put(): Promise<void> {
    const key = keyPair()
    this.#keys.push(key)
    await this.#client.mutablePut(key, randomBytes(VALUE))
  }

  async get(): Promise<void> {
    const { publicKey } = this.#keys[this.#reads++ % this.#keys.length] as KeyPair
    const found = await this.#client.mutableGet(publicKey)
    if (found?.value.length !== VALUE) throw new TypeError('hyperdht lost a value')
  }

  async putImmutable(): Promise<void> {
    this.#hashes.push((await this.#client.immutablePut(randomBytes(VALUE))).hash)
  }

  async getImmutable(): Promise<void> {
    const found = await this.#client.immutableGet(this.#hashes[this.#reads++ % this.#hashes.length] as Uint8Array)
    if (found?.value.length !== VALUE) throw new TypeError('hyperdht lost a value')
  }

  async lookup(): Promise<void> {
    await this.#client.findNode(randomBytes(32)).finished()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#testnet.destroy()
  }
}
