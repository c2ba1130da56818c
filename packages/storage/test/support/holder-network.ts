import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, Scope, WeftError, silentLogger, systemClock } from '@weft/core'
import { type DidKey, SigningKey, sha256 } from '@weft/crypto'
import type { ByteStream, Member, Overlay, PeerStatus, Streams } from '@weft/overlay'
import { type Holder, createHolder } from '../../src/holder/create-holder.ts'
import { TestStreams } from '../holder/stream-pair.ts'
import { FakeRecords, memberAt, termOf } from './memory-network.ts'

const MiB = 1024 * 1024

/** A real holder on a directory of its own. Tests have it fail by its streams and by its quota. */
export class HolderNode {
  readonly id: DidKey
  readonly holder: Holder
  readonly streams: TestStreams
  readonly open = new Set<ByteStream>()
  up = true
  /** Bytes of shards that arrive here, and what happens at each chunk. */
  received = 0
  onBytes: (node: HolderNode) => void = () => {}
  /** Something was written to it, though it may wait. */
  asked = false
  /** What is written to it waits for this. */
  gate: Promise<void> | undefined

  constructor(id: DidKey, streams: TestStreams, holder: Holder) {
    this.id = id
    this.streams = streams
    this.holder = holder
  }

  /** As kill -9 of its process does to its streams; it takes no others. */
  kill(): void {
    this.up = false
    this.breakStreams()
  }

  breakStreams(): void {
    for (const stream of this.open) stream.abort(new Error('the connection was lost'))
    this.open.clear()
  }
}

export interface HolderNetworkOptions {
  readonly clock?: Clock
  /** By the number of the node, bytes. */
  readonly quota?: (at: number) => number
  readonly member?: (at: number) => Partial<Member>
}

/** An overlay of real holders over streams in memory. */
export class HolderNetwork implements AsyncDisposable {
  readonly nodes: HolderNode[] = []
  readonly records = new FakeRecords()
  readonly self = new SigningKey(sha256(Uint8Array.of(255, 255)))
  readonly #scope = new Scope({ name: 'holders' })
  readonly #directory = mkdtempSync(join(tmpdir(), 'weft-holders-'))
  readonly #members: Member[] = []

  static async of(count: number, options: HolderNetworkOptions = {}): Promise<HolderNetwork> {
    const network = new HolderNetwork()
    const { clock = systemClock, quota = () => 512 * MiB } = options
    for (let at = 0; at < count; at++) {
      const key = new SigningKey(sha256(Uint8Array.of(at)))
      const { id } = key
      const streams = new TestStreams(id)
      const holder = await createHolder({
        streams,
        directory: join(network.#directory, String(at)),
        quotaBytes: quota(at),
        reserveBytes: 0,
        key,
        isMember: () => true,
        clock,
        logger: silentLogger,
        scope: network.#scope,
      })
      network.nodes.push(new HolderNode(id, streams, holder))
      network.#members.push(memberAt(id, at, options.member?.(at)))
    }
    return network
  }

  node(id: DidKey): HolderNode {
    return this.nodes.find((node) => node.id === id)!
  }

  /** Shards at all holders together. */
  get shardCount(): number {
    return this.nodes.reduce((sum, { holder }) => sum + holder.held().shards, 0)
  }

  overlay(): Overlay {
    const members = this.#members
    const streams: Streams = {
      open: async (to, _protocol, signal) => {
        signal?.throwIfAborted()
        const node = this.node(to)
        if (!node.up) throw new WeftError({ code: 'E_NODE_UNREACHABLE', cause: 'It is down.', fix: 'None.' })
        const near = node.streams.connect(this.self.id)
        node.open.add(near)
        void near.closed.then(() => node.open.delete(near))
        return {
          ...near,
          write: async (bytes) => {
            node.asked = true
            await node.gate
            node.received += bytes.length
            node.onBytes(node)
            await near.write(bytes)
          },
        }
      },
      handleStream: () => {},
    }
    const peer = (id: DidKey): PeerStatus => ({ id, state: 'connected', since: 0, rttMs: 1, fault: undefined })
    const overlay: Partial<Overlay> = {
      self: this.self.id,
      networkId: 'test-net',
      records: this.records,
      streams,
      peer,
      suspects: () => new Set(),
      revocations: () => ({ inForce: [], pending: [] }),
      term: () => termOf([]),
      membership: {
        networkId: 'test-net',
        members: () => members,
        member: (id) => members.find((member) => member.id === id),
        isMember: (id) => members.some((member) => member.id === id),
        isValidator: () => false,
        status: () => ({ epoch: 1, root: '', signedAt: 0, signatures: 1, quorum: 1, validators: 1, fault: undefined }),
        onChange: () => () => {},
      },
    }
    return overlay as Overlay
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
