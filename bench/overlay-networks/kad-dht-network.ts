import { randomBytes } from 'node:crypto'
import { identify } from '@libp2p/identify'
import { type KadDHT, kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { utf8 } from '@weft/core'
import { type Libp2p, createLibp2p } from 'libp2p'
import { NODES, type RealNetwork, VALUE } from './real-network.ts'

/** Nodes that one dials by itself; it learns of the others. */
const LINKS = 4
/** ms that a connection may take. */
const PATIENCE_MS = 60_000

type KadNode = Libp2p<{ dht: KadDHT }>

function startNode(clientMode: boolean): Promise<KadNode> {
  return createLibp2p({
    addresses: { listen: clientMode ? [] : ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // All of them call from one address, and share two cores while they start.
    connectionManager: {
      inboundConnectionThreshold: 1_000,
      maxIncomingPendingConnections: 1_000,
      inboundUpgradeTimeout: PATIENCE_MS,
      dialTimeout: PATIENCE_MS,
      addressDialTimeout: PATIENCE_MS,
      outboundStreamProtocolNegotiationTimeout: PATIENCE_MS,
      inboundStreamProtocolNegotiationTimeout: PATIENCE_MS,
    },
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({
        protocol: '/bench/kad/1.0.0',
        clientMode,
        peerInfoMapper: passthroughMapper,
        validators: { bench: async () => {} },
        selectors: { bench: () => 0 },
      }),
    },
  })
}

/** libp2p's Kademlia over TCP and Noise: values in memory. */
export class KadDhtNetwork implements RealNetwork {
  readonly #nodes: readonly KadNode[]
  readonly #client: KadNode
  readonly #keys: Uint8Array[] = []
  #reads = 0

  private constructor(nodes: readonly KadNode[], client: KadNode) {
    this.#nodes = nodes
    this.#client = client
  }

  static async start(): Promise<KadDhtNetwork> {
    const nodes: KadNode[] = []
    while (nodes.length < NODES) nodes.push(await startNode(false))
    const client = await startNode(true)
    for (const [at, node] of [...nodes, client].entries()) {
      for (const other of nodes.slice(Math.max(0, at - LINKS), at)) await node.dial(other.getMultiaddrs())
    }
    const network = new KadDhtNetwork([...nodes, client], client)
    // Its routing table fills as identify comes through; a lookup that finds nobody throws.
    for (const node of network.#nodes) await node.services.dht.refreshRoutingTable()
    return network
  }

  async put(): Promise<void> {
    const key = utf8(`/bench/${randomBytes(16).toString('hex')}`)
    this.#keys.push(key)
    await this.#client.contentRouting.put(key, randomBytes(VALUE))
  }

  async get(): Promise<void> {
    const value = await this.#client.contentRouting.get(this.#keys[this.#reads++ % this.#keys.length] as Uint8Array)
    if (value.length !== VALUE) throw new TypeError('kad-dht lost a value')
  }

  putImmutable(): Promise<void> {
    return this.put()
  }

  getImmutable(): Promise<void> {
    return this.get()
  }

  async lookup(): Promise<void> {
    let answered = 0
    for await (const event of this.#client.services.dht.getClosestPeers(randomBytes(32))) {
      if (event.name === 'PEER_RESPONSE') answered++
    }
    if (answered === 0) throw new TypeError('kad-dht asked nobody')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await node.stop()
  }
}
