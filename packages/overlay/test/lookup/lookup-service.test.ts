import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock, WeftError, silentLogger } from '@weft/core'
import { type DidKey, toDidKey } from '@weft/crypto'
import type { SignedMap } from '@weft/wire'
import { LearntMembers } from '../../src/lookup/learnt-members.ts'
import { LookupService } from '../../src/lookup/lookup-service.ts'
import { serveMap } from '../../src/map/map-server.ts'
import { SignedMembership } from '../../src/map/signed-membership.ts'
import { closestMembers } from '../../src/records/closest-members.ts'
import type { Revocations } from '../../src/revocation/revocations.ts'
import type { Rpc } from '../../src/rpc.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { BEGIN, EPOCH, NO_REVOCATIONS, codeOf, testNetwork } from '../fixtures.ts'
import { ManyEntries, signedMapOf } from '../map/many-entries.ts'

const { network, keys } = testNetwork()
const TARGET = new Uint8Array(32).fill(7)
const { signal } = new AbortController()

type Handlers = Map<string, (request: never, caller: never, signal: AbortSignal) => Promise<unknown>>

/** Some nodes that hold maps, joined by calls that take no time, and a service of one that holds none. */
class Nodes {
  readonly clock = new VirtualClock(BEGIN + 5 * EPOCH + 1_000)
  readonly ids: DidKey[] = []
  readonly memberships: SignedMembership[] = []
  readonly learnt = new LearntMembers()
  /** What is called before a call is answered. */
  onCall: (method: string) => void = () => {}
  readonly #handlers = new Map<DidKey, Handlers>()

  constructor(count: number, map: SignedMap | undefined, entries: readonly Uint8Array[]) {
    for (let at = 0; at < count; at++) {
      const id = toDidKey(new Uint8Array(32).fill(100 + at))
      const membership = this.#membership()
      if (map !== undefined) membership.adopt(map, entries)
      this.ids.push(id)
      this.memberships.push(membership)
      serveMap(this.#rpc(id), membership, network)
      this.#service(id, membership, NO_REVOCATIONS)
    }
  }

  adopt(map: SignedMap, entries: readonly Uint8Array[]): void {
    for (const membership of this.memberships) membership.adopt(map, entries)
  }

  handler(at: number, method: string): (request: unknown) => Promise<unknown> {
    const handler = this.#handlers.get(this.ids[at] as DidKey)?.get(method)
    return async (request) => handler?.(request as never, undefined as never, signal)
  }

  client(revocations: Pick<Revocations, 'voids'> = NO_REVOCATIONS): LookupService {
    return this.#service(toDidKey(new Uint8Array(32).fill(9)), this.#membership(), revocations)
  }

  #membership(): SignedMembership {
    const database = new MemoryMembershipStore()
    const base = { network, database, clock: this.clock, logger: silentLogger }
    return new SignedMembership({ ...base, revocations: NO_REVOCATIONS })
  }

  #service(self: DidKey, membership: SignedMembership, revocations: Pick<Revocations, 'voids'>): LookupService {
    const { clock, learnt } = this
    const base = { network, membership, revocations, clock, logger: silentLogger, learnt }
    return new LookupService({ ...base, self, rpc: this.#rpc(self), starts: () => this.ids })
  }

  #rpc(self: DidKey): Rpc {
    const own: Handlers = this.#handlers.get(self) ?? new Map()
    this.#handlers.set(self, own)
    return {
      handle: (method, handler) => {
        own.set(method, handler)
        return () => void own.delete(method)
      },
      call: async (to, method, request) => {
        this.onCall(method)
        const handler = this.#handlers.get(to)?.get(method)
        if (handler === undefined) throw new WeftError({ code: 'E_NODE_UNREACHABLE', cause: 'Gone.', fix: 'None.' })
        return (await handler({ known: [], ...(request as object) } as never, undefined as never, signal)) as never
      },
    }
  }
}

function mapOf(epoch: number, seed: number): { map: SignedMap; entries: Uint8Array[] } {
  const entries = new ManyEntries(network.id, 60, seed).entries()
  return { map: signedMapOf(network, keys.slice(0, network.quorum), entries, epoch), entries }
}

describe('the service of lookups', () => {
  it('answers for the map that it holds and the one before, and for no other', async () => {
    const [first, second, third] = [mapOf(3, 1), mapOf(4, 2), mapOf(5, 3)]
    const nodes = new Nodes(1, first.map, first.entries)
    const roots = [nodes.memberships[0]?.heldList()?.root]
    for (const { map, entries } of [second, third]) {
      nodes.adopt(map, entries)
      roots.push(nodes.memberships[0]?.heldList()?.root)
    }
    const ask = (root: Uint8Array | undefined) => () =>
      nodes.handler(0, 'lookup.closest')({ target: TARGET, root, known: [] })
    assert.equal(await codeOf(ask(roots[2])), 'nothing')
    assert.equal(await codeOf(ask(roots[1])), 'nothing')
    assert.equal(await codeOf(ask(roots[0])), 'E_MAP_ROOT_UNKNOWN')
  })

  it('finds the members, learns where they are, and leaves out who was revoked', async () => {
    const { map, entries } = mapOf(5, 1)
    const nodes = new Nodes(10, map, entries)
    const members = nodes.memberships[0]?.members() ?? []
    const right = closestMembers(members, TARGET, 20)
    const found = await nodes.client().find(TARGET, signal)
    assert.deepEqual(
      found.members.map(({ id }) => id),
      right.map(({ id }) => id),
    )
    assert.deepEqual([found.epoch, found.count, found.stale, found.doubtful], [5, 60, false, false])
    for (const { id, addresses } of right) assert.deepEqual(nodes.learnt.addresses(id, undefined), addresses)
    const [gone] = right
    const filtered = await nodes.client({ voids: ({ id }) => id === gone?.id }).find(TARGET, signal)
    assert.deepEqual(
      filtered.members.map(({ id }) => id),
      right.slice(1).map(({ id }) => id),
    )
  })

  it('begins anew by newer maps when the network went on while it ran', async () => {
    const [first, second, third] = [mapOf(3, 1), mapOf(4, 2), mapOf(5, 3)]
    const nodes = new Nodes(10, first.map, first.entries)
    nodes.onCall = (method) => {
      if (method !== 'lookup.closest') return
      nodes.onCall = () => {}
      for (const { map, entries } of [second, third]) nodes.adopt(map, entries)
    }
    const found = await nodes.client().find(TARGET, signal)
    assert.equal(found.epoch, 5)
    const members = nodes.memberships[0]?.members() ?? []
    assert.deepEqual(
      found.members.map(({ id }) => id),
      closestMembers(members, TARGET, 20).map(({ id }) => id),
    )
  })

  it('says that a map is old', async () => {
    const { map, entries } = mapOf(1, 1)
    const found = await new Nodes(4, map, entries).client().find(TARGET, signal)
    assert.deepEqual([found.epoch, found.stale], [1, true])
  })

  it('fails when nobody holds a map, or nobody is known', async () => {
    assert.equal(await codeOf(() => new Nodes(10, undefined, []).client().find(TARGET, signal)), 'E_LOOKUP_FAILED')
    assert.equal(await codeOf(() => new Nodes(0, undefined, []).client().find(TARGET, signal)), 'E_LOOKUP_FAILED')
  })

  it('runs a few at once, lets some wait, and refuses more', async () => {
    const { map, entries } = mapOf(5, 1)
    const client = new Nodes(4, map, entries).client()
    const all = await Promise.all(Array.from({ length: 100 }, () => codeOf(() => client.find(TARGET, signal))))
    assert.equal(all.filter((code) => code === 'nothing').length, 8 + 64)
    assert.equal(all.filter((code) => code === 'E_LOOKUP_FAILED').length, 100 - 8 - 64)
  })
})
