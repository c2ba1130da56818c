import { randomBytes } from 'node:crypto'
import { SigningKey } from '@weft/crypto'
import type { MapReader, Overlay, RecordKey } from '@weft/overlay'
import { LocalNetwork } from '../../packages/overlay/test/local-network.ts'
import { until } from '../../packages/overlay/test/until.ts'
import { NODES, type RealNetwork, VALUE } from './real-network.ts'

const VALIDATORS = 4
const HOUR_MS = 3_600_000
/** ms; networks have 60,000. With fewer one thread does little else but make maps, where others use its core as well. */
const MAP_EPOCH_MS = 30_000
/** ms until nodes that were started are in the map and know each other. */
const PATIENCE_MS = 300_000

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
  readonly #hashes: RecordKey[] = []
  #reads = 0

  private constructor(network: LocalNetwork, client: Overlay, mapless: Overlay) {
    this.#network = network
    this.#client = client
    this.#mapless = mapless
  }

  static async start(): Promise<WeftNetwork> {
    const network = await LocalNetwork.create(NODES + 2, VALIDATORS, MAP_EPOCH_MS)
    await addTo(network, 0, VALIDATORS)
    await addTo(network, VALIDATORS, NODES)
    const { overlay: client } = await network.start(NODES, { roles: ['client'] })
    const isReady = (): boolean =>
      client.membership.members().length === NODES && client.peers().every(({ state }) => state === 'connected')
    await until(client, 'all members in the map and connected', isReady, PATIENCE_MS)
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

  async putImmutable(): Promise<void> {
    const value = new Uint8Array(randomBytes(VALUE))
    this.#hashes.push((await this.#client.records.putImmutable(value, Date.now() + HOUR_MS)).key)
  }

  async getImmutable(): Promise<void> {
    await this.#client.records.get(this.#hashes[this.#reads++ % this.#hashes.length] as RecordKey)
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

/** Starts the nodes from the place `from` up to, without it, `to`, and waits until they are members. */
async function addTo(network: LocalNetwork, from: number, to: number): Promise<void> {
  const places = Array.from({ length: to - from }, (_, at) => from + at)
  const nodes = await Promise.all(places.map((index) => network.start(index)))
  for (const { overlay } of nodes)
    await until(overlay, `${to} members`, () => overlay.membership.members().length >= to, PATIENCE_MS)
}
