import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RELAY_V2_HOP_CODEC, RELAY_V2_STOP_CODEC } from '@libp2p/circuit-relay-v2'
import type { Connection, PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { VirtualClock } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import {
  MAX_RELAYED,
  MAX_RELAYED_PER_ADDRESS,
  MAX_RELAYED_PER_CALLER,
  MAX_RELAYED_PER_TARGET,
  MAX_RESERVATIONS,
  MAX_RESERVATIONS_PER_ADDRESS,
  MAX_STRANGER_RESERVATIONS,
} from '../../../src/transport/limits.ts'
import { didOfPeer, toPeerId } from '../../../src/transport/peer-id.ts'
import { RelayGate, type Reservations } from '../../../src/transport/relay/relay-gate.ts'

type Gone = (event: { detail: PeerId }) => void

/** A relay as its gate sees it: who is connected from where, what runs, who has a place. */
class World {
  readonly clock = new VirtualClock()
  readonly members = new Set<DidKey>()
  readonly connections: Connection[] = []
  readonly gate: RelayGate
  readonly cleared: string[] = []
  readonly #places = new Map<string, [PeerId, { addr: ReturnType<typeof multiaddr> }]>()
  #gone: Gone | undefined

  constructor() {
    this.gate = new RelayGate({ allows: (id) => this.members.has(id) }, this.clock)
    const reservations = {
      [Symbol.iterator]: () => this.#places.values(),
      get: (peer: PeerId) => ({ signal: { clear: () => this.cleared.push(peer.toString()) } }),
      delete: (peer: PeerId) => void this.#places.delete(peer.toString()),
    } as unknown as Reservations
    const host = {
      getConnections: () => this.connections,
      addEventListener: (_: string, listener: Gone) => (this.#gone = listener),
    } as unknown as Parameters<RelayGate['follow']>[0]
    this.gate.follow(host, reservations)
  }

  /** Somebody connects from there. */
  peer(host: string, { member = false, limited = false } = {}): PeerId {
    const peer = toPeerId(SigningKey.generate().id)
    if (member) this.members.add(didOfPeer(peer))
    this.connections.push({
      remotePeer: peer,
      remoteAddr: multiaddr(`/ip4/${host}/tcp/1`),
      streams: [],
      ...(limited ? { limits: {} } : {}),
    } as unknown as Connection)
    return peer
  }

  reserves(peer: PeerId): boolean {
    const addr = this.connections.find(({ remotePeer }) => remotePeer.equals(peer))?.remoteAddr as never
    const may = this.gate.gater.denyInboundRelayReservation?.(peer) === false
    if (may) this.#places.set(peer.toString(), [peer, { addr }])
    return may
  }

  /** As libp2p asks: the stream of the request stands already, and that to the target is opened afterwards. */
  connects(source: PeerId, target: PeerId): boolean {
    this.#open(source, RELAY_V2_HOP_CODEC)
    const may = this.gate.gater.denyOutboundRelayedConnection?.(source, target) === false
    if (may) this.#open(target, RELAY_V2_STOP_CODEC)
    else this.#streams(source).pop()
    return may
  }

  leaves(peer: PeerId): void {
    this.#gone?.({ detail: peer })
  }

  #open(peer: PeerId, protocol: string): void {
    this.#streams(peer).push({ protocol })
  }

  #streams(peer: PeerId): { protocol: string }[] {
    return this.connections.find(({ remotePeer }) => remotePeer.equals(peer))?.streams as unknown as {
      protocol: string
    }[]
  }
}

test('strangers of one address have few places, all strangers a part, members their own', () => {
  const world = new World()
  for (let index = 0; index < MAX_RESERVATIONS_PER_ADDRESS; index++) assert.ok(world.reserves(world.peer('192.0.2.1')))
  assert.ok(!world.reserves(world.peer('192.0.2.1')))
  assert.ok(world.reserves(world.peer('192.0.2.1', { member: true })))
  for (let index = MAX_RESERVATIONS_PER_ADDRESS; index < MAX_STRANGER_RESERVATIONS; index++)
    assert.ok(world.reserves(world.peer(`198.51.${index}.1`)))
  assert.ok(!world.reserves(world.peer('203.0.113.1')))
  assert.ok(world.reserves(world.peer('203.0.113.1', { member: true })))
})

test('when all places are taken nobody gets one, and who has one may ask again', () => {
  const world = new World()
  const members = Array.from({ length: MAX_RESERVATIONS }, () => world.peer('192.0.2.1', { member: true }))
  for (const peer of members) assert.ok(world.reserves(peer))
  assert.ok(!world.reserves(world.peer('203.0.113.1', { member: true })))
  assert.ok(world.reserves(members[0]!))
})

test('who has a place may renew it; who goes loses it to the next', () => {
  const world = new World()
  const peers = Array.from({ length: MAX_RESERVATIONS_PER_ADDRESS }, () => world.peer('192.0.2.1'))
  for (const peer of peers) assert.ok(world.reserves(peer))
  assert.ok(world.reserves(peers[0]!))
  const next = world.peer('192.0.2.1')
  assert.ok(!world.reserves(next))
  world.leaves(peers[0]!)
  assert.deepEqual(world.cleared, [peers[0]!.toString()])
  assert.ok(world.reserves(next))
})

test('nobody is served over a relay, or without a connection', () => {
  const world = new World()
  const [target, relayed] = [world.peer('192.0.2.9'), world.peer('192.0.2.1', { limited: true })]
  assert.ok(!world.reserves(relayed))
  assert.ok(!world.connects(relayed, target))
  assert.equal(world.gate.gater.denyInboundRelayReservation?.(toPeerId(SigningKey.generate().id)), true)
})

test('one caller, one address, one target and all together have so many connections and no more', async () => {
  const limit = async (rows: () => readonly [PeerId, PeerId], world: World): Promise<number> => {
    for (let count = 0; ; count++) {
      // Slowly: how often somebody asks is another limit.
      await world.clock.advance(2_000)
      const [source, target] = rows()
      if (!world.connects(source, target)) return count
    }
  }
  const one = new World()
  const [caller, spread] = [one.peer('192.0.2.1'), () => one.peer('192.0.2.9')]
  assert.equal(await limit(() => [caller, spread()], one), MAX_RELAYED_PER_CALLER)
  const two = new World()
  assert.equal(await limit(() => [two.peer('192.0.2.1'), two.peer('192.0.2.9')], two), MAX_RELAYED_PER_ADDRESS)
  const three = new World()
  const target = three.peer('192.0.2.9')
  let at = 0
  assert.equal(await limit(() => [three.peer(`198.51.${at++}.1`), target], three), MAX_RELAYED_PER_TARGET)
  const four = new World()
  at = 0
  assert.equal(await limit(() => [four.peer(`198.51.${at++}.1`), four.peer('192.0.2.9')], four), MAX_RELAYED)
})

test('an address that asks too often is refused, whatever its identity', () => {
  const world = new World()
  const target = world.peer('192.0.2.9')
  let served = 0
  for (let index = 0; index < 100; index++) {
    const source = world.peer('127.0.0.1', { member: true })
    if (!world.connects(source, target)) break
    served++
    world.connections.pop()
  }
  assert.ok(served <= 32, `${served}`)
})
