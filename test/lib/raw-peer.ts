import { systemClock } from '@weft/core'
import { type DidKey, loadOrCreateKey } from '@weft/crypto'
import type { ByteStream } from '@weft/overlay'
import {
  FrameParser,
  MAX_RPC_FRAME,
  type RpcFrame,
  RpcFrameSchema,
  type ShardResponse,
  ShardResponseSchema,
  decodeMessage,
  protocolId,
} from '@weft/wire'
import { Dialer } from '../../packages/overlay/src/transport/dialer.ts'
import { type Host, createHost } from '../../packages/overlay/src/transport/host.ts'
import { Libp2pByteStream } from '../../packages/overlay/src/transport/libp2p-byte-stream.ts'
import { toPrivateKey } from '../../packages/overlay/src/transport/peer-id.ts'

export interface RawPeerOptions {
  /** The node whose key it has: it is whatever that node is certified as. */
  readonly home: string
  readonly networkId: string
  readonly target: { readonly id: string; readonly port: number }
}

/** How a node took raw bytes: the frames that it answered, and whether it reset the stream or ended it. */
export interface Answered<T> {
  readonly frames: readonly T[]
  readonly state: 'reset' | 'ended'
}

/** A peer that speaks the transport as any node does, and on its streams sends what a test wants. */
export class RawPeer implements AsyncDisposable {
  readonly #host: Host
  readonly #dialer: Dialer
  readonly #options: RawPeerOptions

  static async connect(options: RawPeerOptions): Promise<RawPeer> {
    const key = loadOrCreateKey(`${options.home}/node.key`)
    const privateKey = toPrivateKey(key)
    const host = await createHost({ privateKey, listen: [], announce: [], noise: false, clock: systemClock }, {})
    // Listed, so that the node sees by identify that this peer is of its network; nobody is served.
    await host.handle(protocolId(options.networkId, 'rpc'), (stream) => stream.abort(new Error('serves nobody')))
    const { networkId, target } = options
    const lookup = (): string[] => [`/ip4/127.0.0.1/tcp/${target.port}`]
    const closing = new AbortController().signal
    const dialer = new Dialer({ host, self: key.id, networkId, lookup, clock: systemClock, closing })
    return new RawPeer(host, dialer, options)
  }

  private constructor(host: Host, dialer: Dialer, options: RawPeerOptions) {
    this.#host = host
    this.#dialer = dialer
    this.#options = options
  }

  /** Opens a stream of any protocol id. */
  async open(protocol: string): Promise<ByteStream> {
    const id = this.#options.target.id as DidKey
    const connection = await this.#dialer.connection(id, undefined, undefined)
    return new Libp2pByteStream(await connection.newStream([protocol]), id)
  }

  /** Sends bytes on a control stream of its own, ends it, and reads what comes back. */
  rpc(...pieces: readonly Uint8Array[]): Promise<Answered<RpcFrame>> {
    return this.#exchange('rpc', pieces, (frame) => decodeMessage(RpcFrameSchema, frame, MAX_RPC_FRAME))
  }

  /** The same on a shard stream. */
  shard(...pieces: readonly Uint8Array[]): Promise<Answered<ShardResponse>> {
    return this.#exchange('shard', pieces, (frame) => decodeMessage(ShardResponseSchema, frame, MAX_RPC_FRAME))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host.stop()
  }

  async #exchange<T>(
    protocol: 'rpc' | 'shard',
    pieces: readonly Uint8Array[],
    read: (frame: Uint8Array) => T,
  ): Promise<Answered<T>> {
    const stream = await this.open(protocolId(this.#options.networkId, protocol))
    const frames: T[] = []
    const parser = new FrameParser(MAX_RPC_FRAME)
    // A node that broke the stream off does not take the rest; what it answered before tells why.
    const sent = (async () => {
      for (const piece of pieces) await stream.write(piece)
      await stream.closeWrite()
    })().catch(() => {})
    try {
      for await (const chunk of stream.incoming) {
        parser.push(chunk)
        for (let frame = parser.takeFrame(); frame !== undefined; frame = parser.takeFrame()) frames.push(read(frame))
      }
      return { frames, state: 'ended' }
    } catch {
      return { frames, state: 'reset' }
    } finally {
      stream.abort(new Error('the exchange is over'))
      await sent
    }
  }
}
