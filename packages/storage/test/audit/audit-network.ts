import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Scope, VirtualClock, WeftError, seededRandom, silentLogger, utf8 } from '@weft/core'
import { type DidKey, SigningKey, sha256, toDidKey } from '@weft/crypto'
import { ReedSolomon } from '@weft/erasure'
import type { Beacon, Caller, Overlay, Rpc } from '@weft/overlay'
import { METHODS, type MethodName, create, decodeMessage, encodeMessage } from '@weft/wire'
import { type Audits, NO_AUDITS } from '../../src/audit/audits.ts'
import { createAudits } from '../../src/audit/create-audits.ts'
import { BlobStore } from '../../src/blobs/blob-store.ts'
import { encodeSegment } from '../../src/object/encode-segment.ts'
import { FrameCipher } from '../../src/object/frame-cipher.ts'
import { deriveObjectKeys } from '../../src/object/object-keys.ts'
import { sealedLength, shardLengthOf } from '../../src/object/object-layout.ts'
import { ObjectRecords } from '../../src/object/object-records.ts'
import { storageClass } from '../../src/object/storage-class.ts'
import { FakeRecords, memberAt } from '../support/memory-network.ts'

const MAP_EPOCHS = 32
const MAP_EPOCH_MS = 60_000
const DAY = 24 * 3_600_000

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

type Handler = (request: never, caller: Caller, signal: AbortSignal) => Promise<object>

/** What a test has a node do in place of answering a call. `answer` is what an honest node does. */
export type Behaviour = (
  method: MethodName,
  request: never,
  answer: () => Promise<object>,
  from: DidKey,
) => Promise<object>

export interface AuditNode {
  readonly key: SigningKey
  readonly id: DidKey
  readonly audits: Audits
  readonly store: BlobStore | undefined
  /** Its own look at the map: how many maps it is behind. */
  lag: number
  behaves: Behaviour
}

export interface PutObject {
  readonly key: SigningKey
  readonly roots: readonly Uint8Array[]
  readonly shards: readonly Uint8Array[]
  readonly holders: readonly AuditNode[]
}

/** Validators and holders with real blob stores and real audits; calls, maps and beacons are the test's. */
export class AuditNetwork implements AsyncDisposable {
  readonly clock = new VirtualClock(1_800_000_000_000)
  readonly records = new FakeRecords()
  readonly nodes = new Map<DidKey, AuditNode>()
  readonly #directory = mkdtempSync(join(tmpdir(), 'weft-audit-'))
  readonly #scope = new Scope({ name: 'test' })
  readonly #handlers = new Map<string, Handler>()
  readonly #listeners = new Set<() => void>()
  readonly #validators: SigningKey[]
  readonly #holders: SigningKey[]
  /** Maps without a beacon, when a test wants so. */
  hasBeacons = true
  mapEpoch = MAP_EPOCHS * 100
  calls = 0
  #underWay = 0

  private constructor(holders: number, validators: number) {
    const keys = (count: number, kind: number): SigningKey[] =>
      Array.from({ length: count }, (_, at) => new SigningKey(sha256(Uint8Array.of(kind, at))))
    this.#validators = keys(validators, 1)
    this.#holders = keys(holders, 2)
  }

  static async of(holders: number, validators = 4): Promise<AuditNetwork> {
    const network = new AuditNetwork(holders, validators)
    for (const key of [...network.#validators, ...network.#holders]) await network.#add(key)
    return network
  }

  get holders(): AuditNode[] {
    return this.#holders.map(({ id }) => this.nodes.get(id)!)
  }

  get validators(): AuditNode[] {
    return this.#validators.map(({ id }) => this.nodes.get(id)!)
  }

  get auditEpoch(): number {
    return Math.floor(this.mapEpoch / MAP_EPOCHS)
  }

  /** Every epoch has a beacon. */
  beacon(mapEpoch: number): Beacon {
    return { epoch: mapEpoch, previous: mapEpoch - 1, value: sha256(utf8(`beacon ${mapEpoch}`)) }
  }

  /** Puts an object of one segment as its owner does: real bytes in the stores, records that name their holders. */
  async put(seed: number, length: number, holders = this.holders.slice(0, 9), ttlMs = 30 * DAY): Promise<PutObject> {
    const random = seededRandom(seed)
    const key = new SigningKey(random.bytes(32))
    const object = key.publicKey
    const keys = deriveObjectKeys(random.bytes(32), object)
    const sealed = sealedLength(length)
    const shardLength = shardLengthOf(sealed, 3)
    const shards = Array.from({ length: 9 }, () => new Uint8Array(shardLength))
    const roots: Uint8Array[] = []
    encodeSegment({
      plaintext: random.bytes(length),
      segment: 0,
      firstFrame: 0,
      last: true,
      cipher: new FrameCipher(keys),
      code: new ReedSolomon(3, 9),
      sealKey: keys.sealKey,
      object,
      nodes: holders.map((holder) => holder.key.publicKey),
      shards,
      onShard: (index, root) => void (roots[index] = root),
    })
    const expiresAt = this.clock.now() + ttlMs
    for (const [index, holder] of holders.entries()) {
      await this.store(holder, { object, segment: 0, index }, shards[index]!, expiresAt)
    }
    const records = new ObjectRecords(this.records, this.clock)
    await records.writeHead(key, { class: storageClass('tiny'), sealed }, expiresAt)
    const placed = holders.map(({ id, key: { publicKey } }, index) => {
      return { index, node: id, nodeKey: publicKey, root: roots[index]! }
    })
    await records.writeSegment(key, { index: 0, length: sealed, shardLength, shards: placed }, expiresAt)
    return { key, roots, shards, holders }
  }

  async store(
    holder: AuditNode,
    name: { object: Uint8Array; segment: number; index: number },
    bytes: Uint8Array,
    expiresAt: number,
  ): Promise<void> {
    const put = await holder.store!.begin(name, bytes.length, 'owner')
    await put.write(bytes)
    await put.finish()
    await holder.store!.commit(name.object, 'owner', expiresAt)
  }

  /** Lets one audit epoch go by, with a map and a beacon in each of its map epochs. */
  async epoch(onMap: (map: number) => void | Promise<void> = () => {}): Promise<number> {
    const epoch = this.auditEpoch
    for (let map = 0; map < MAP_EPOCHS; map++) {
      await onMap(map)
      for (const listener of this.#listeners) listener()
      await this.#idle()
      // The audits of this epoch go on until the first map of the next.
      if (map === MAP_EPOCHS - 1) break
      this.mapEpoch++
      await this.clock.advance(MAP_EPOCH_MS)
      await this.#idle()
    }
    this.mapEpoch++
    return epoch
  }

  /** Verdicts about a node in an epoch, by those who gave them. */
  verdicts(node: AuditNode, epoch: number): string[] {
    return this.validators
      .flatMap(({ audits }) => audits.made())
      .filter((result) => result.node === node.id && result.epoch === epoch)
      .map(({ verdict }) => verdict)
      .toSorted()
  }

  /** A call as the wire carries it: encoded, within the limits of its method. */
  async call(from: DidKey, to: DidKey, method: MethodName, request: object): Promise<object> {
    const { request: schema, response, maxRequest, maxResponse } = METHODS[method]
    this.calls++
    this.#underWay++
    try {
      const node = this.nodes.get(to)!
      const sent = encodeMessage(schema, create(schema as never, request as never))
      const handler = this.#handlers.get(`${to} ${method}`)
      if (handler === undefined) throw new WeftError({ code: 'E_METHOD_NOT_OFFERED', cause: 'test', fix: 'none' })
      const read = decodeMessage(schema, sent, maxRequest) as never
      const signal = new AbortController().signal
      const honest = (): Promise<object> => handler(read, { id: from, address: 'test' }, signal)
      const answer = await node.behaves(method, read, honest, from)
      return decodeMessage(response, encodeMessage(response, create(response as never, answer as never)), maxResponse)
    } finally {
      this.#underWay--
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #add(key: SigningKey): Promise<void> {
    const isHolder = this.#holders.includes(key)
    const directory = join(this.#directory, key.id.slice(-16))
    const parts = { directory, clock: this.clock, logger: silentLogger, scope: this.#scope }
    const limits = { quotaBytes: 2 ** 30, reserveBytes: 0, isMember: () => true }
    const store = isHolder ? await BlobStore.open({ ...parts, ...limits }) : undefined
    const node: Mutable<AuditNode> = {
      key,
      id: key.id,
      audits: NO_AUDITS,
      store,
      lag: 0,
      behaves: (_method, _request, answer) => answer(),
    }
    this.nodes.set(key.id, node)
    node.audits = createAudits({
      ...parts,
      overlay: this.#overlay(key.id),
      key,
      times: { mapEpochs: MAP_EPOCHS, mapEpochMs: MAP_EPOCH_MS },
      store,
      records: new ObjectRecords(this.records, this.clock),
      random: seededRandom(this.nodes.size),
    })
  }

  /** What every node answers about beacons that passed a node by. */
  #serveBeacons(self: DidKey): void {
    this.#handlers.set(`${self} beacon.get`, async (request: { epoch: bigint }) => {
      const after = Number(request.epoch)
      if (after >= this.mapEpoch) return {}
      const { epoch, value, previous } = this.beacon(after + 1)
      return { beacon: { epoch: BigInt(epoch), value, previous: BigInt(previous + 1) } }
    })
  }

  #overlay(self: DidKey): Overlay {
    this.#serveBeacons(self)
    const validators = this.#validators.map(({ id }) => ({ id, addresses: [], family: 'validators' }))
    const members = this.#holders.map(({ id }, at) => memberAt(id, at))
    const epochOf = (): number => this.mapEpoch - this.nodes.get(self)!.lag
    const rpc: Rpc = {
      call: (to, method, request) => this.call(self, to, method, request) as never,
      handle: (method, handler) => {
        this.#handlers.set(`${self} ${method}`, handler)
        return () => void this.#handlers.delete(`${self} ${method}`)
      },
    }
    const ids = new Set(this.#validators.map(({ id }) => id))
    const overlay: Partial<Overlay> = {
      self,
      networkId: 'test-net',
      rpc,
      term: () => ({
        number: 0,
        fromEpoch: 0,
        validators,
        rotation: 0,
        quorum: 3,
        isValidator: (id) => ids.has(id),
        validatorWith: (publicKey) => toDidKey(publicKey),
      }),
      membership: {
        networkId: 'test-net',
        members: () => members,
        member: (id) => members.find((member) => member.id === id),
        isMember: () => true,
        isValidator: (id) => ids.has(id),
        status: () => ({
          epoch: epochOf(),
          beacon: this.hasBeacons ? this.beacon(epochOf()) : undefined,
          root: '',
          signedAt: 0,
          signatures: 1,
          quorum: 1,
          validators: 1,
          fault: undefined,
        }),
        onChange: (listener) => {
          this.#listeners.add(listener)
          return () => void this.#listeners.delete(listener)
        },
      },
    }
    return overlay as Overlay
  }

  /** Until nothing is under way that no clock drives. */
  async #idle(): Promise<void> {
    for (let quiet = 0, turns = 0; quiet < 5; quiet++) {
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#underWay > 0) quiet = 0
      assert.ok(turns++ < 1_000_000, 'calls are under way for ever')
    }
  }
}
