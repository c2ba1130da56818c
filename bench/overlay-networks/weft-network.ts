import { randomBytes } from 'node:crypto'
import { SigningKey } from '@weft/crypto'
import type { MapReader, Overlay } from '@weft/overlay'
import { LocalNetwork } from '../../packages/overlay/test/local-network.ts'
import { until } from '../../packages/overlay/test/until.ts'
import { NODES, type RealNetwork, VALUE } from './real-network.ts'

const VALIDATORS = 4
const HOUR_MS = 3_600_000

/** A client with this reader never holds a map: its lookups are what they are for. */
const neverRead: MapReader = {
  *whole() {
    yield
    throw new TypeError('no map is read here')
  },
  *changed() {
    yield
    throw new TypeError('no map is read here')
  },
}

/** Weft's overlay: TLS, admission, the map and all; records at 20 holders on disk, of which 14 have to answer. */
export class WeftNetwork implements RealNetwork {
  readonly #network: LocalNetwork
  readonly #client: Overlay
  readonly #mapless: Overlay
  readonly #owner = SigningKey.generate()
  readonly #salts: Uint8Array[] = []
  #reads = 0

  private constructor(network: LocalNetwork, client: Overlay, mapless: Overlay) {
    this.#network = network
    this.#client = client
    this.#mapless = mapless
  }

  static async start(): Promise<WeftNetwork> {
    const network = await LocalNetwork.create(NODES + 2, VALIDATORS, 5_000)
    await Promise.all(Array.from({ length: NODES }, (_, index) => network.start(index)))
    const { overlay: client } = await network.start(NODES, { roles: ['client'] })
    const isReady = (): boolean =>
      client.membership.members().length === NODES && client.peers().every(({ state }) => state === 'connected')
    await until(client, 'all members in the map and connected', isReady, 120_000)
    const { overlay: mapless } = await network.start(NODES + 1, { roles: ['client'], mapReader: neverRead })
    return new WeftNetwork(network, client, mapless)
  }

  async put(): Promise<void> {
    const salt = new Uint8Array(randomBytes(16))
    this.#salts.push(salt)
    const value = new Uint8Array(randomBytes(VALUE))
    const expiresAt = Date.now() + HOUR_MS
    await this.#client.records.putMutable({ owner: this.#owner, salt, sequence: 1, value, expiresAt })
  }

  async get(): Promise<void> {
    const salt = this.#salts[this.#reads++ % this.#salts.length] as Uint8Array
    await this.#client.records.getMutable(this.#owner.publicKey, salt)
  }

  async lookup(): Promise<void> {
    const { members, doubtful } = await this.#mapless.lookup(new Uint8Array(randomBytes(32)))
    if (members.length !== NODES || doubtful)
      throw new TypeError(`a lookup found ${members.length} of ${NODES} members`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#network[Symbol.asyncDispose]()
  }
}
