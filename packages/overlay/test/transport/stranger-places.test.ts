import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { VirtualClock } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import { protocolId } from '@weft/wire'
import type { Host } from '../../src/transport/host.ts'
import {
  MAX_CONNECTIONS_PER_NODE,
  MAX_STRANGERS_PER_ADDRESS,
  MAX_STRANGER_CONNECTIONS,
} from '../../src/transport/limits.ts'
import { toPeerId } from '../../src/transport/peer-id.ts'
import { StrangerPlaces } from '../../src/transport/stranger-places.ts'

/** A host to which connections come as a test says. */
class Hall {
  readonly clock = new VirtualClock()
  readonly members = new Set<DidKey>()
  readonly calls = new Map<DidKey, number>()
  readonly open = new Set<DidKey>()
  readonly #events = new EventTarget()

  constructor() {
    new StrangerPlaces({
      host: this.#events as unknown as Host,
      networkId: 'test',
      access: { allows: (id, access) => access === 'anyone' || this.members.has(id) },
      clock: this.clock,
      lastCall: (id) => this.calls.get(id),
    })
  }

  /** A new connection, one second after the one before. */
  async come(host: string, id: DidKey = SigningKey.generate().id, protocol?: string): Promise<DidKey> {
    await this.clock.advance(1_000)
    const connection: Connection = {
      direction: 'inbound',
      remotePeer: toPeerId(id),
      remoteAddr: multiaddr(`/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/1`),
      streams: protocol === undefined ? [] : [{ protocol }],
      abort: () => {
        this.open.delete(id)
        this.#events.dispatchEvent(new CustomEvent('connection:close', { detail: connection }))
      },
    } as unknown as Connection
    this.open.add(id)
    this.#events.dispatchEvent(new CustomEvent('connection:open', { detail: connection }))
    return id
  }

  async fill(count: number, hostOf: (index: number) => string): Promise<DidKey[]> {
    const ids: DidKey[] = []
    for (let i = 0; i < count; i++) ids.push(await this.come(hostOf(i)))
    return ids
  }
}

function distinctHost(index: number): string {
  return `192.0.${index >> 8}.${index & 255}`
}

test('strangers that sit on their places lose them to newcomers; members never do', async () => {
  const hall = new Hall()
  const member = SigningKey.generate().id
  hall.members.add(member)
  await hall.come('203.0.113.1', member)
  const idle = await hall.fill(MAX_STRANGER_CONNECTIONS, distinctHost)
  assert.equal(hall.open.size, MAX_STRANGER_CONNECTIONS + 1)
  const first = idle[0]!
  hall.calls.set(first, hall.clock.monotonic())
  const newcomer = await hall.come('203.0.113.2')
  assert.equal(hall.open.size, MAX_STRANGER_CONNECTIONS + 1)
  assert.ok(hall.open.has(newcomer) && hall.open.has(member))
  assert.ok(hall.open.has(first), 'who called last is not the one that goes')
  assert.ok(!hall.open.has(idle[1]!))
})

test('the address with most strangers loses one first, however busy they are', async () => {
  const hall = new Hall()
  const crowd = await hall.fill(10, () => '198.51.100.1')
  const others = await hall.fill(MAX_STRANGER_CONNECTIONS - crowd.length, distinctHost)
  for (const id of crowd) hall.calls.set(id, hall.clock.monotonic())
  await hall.come('203.0.113.2')
  assert.ok(others.every((id) => hall.open.has(id)))
  assert.equal(crowd.filter((id) => hall.open.has(id)).length, crowd.length - 1)
})

test('one address and one /64 have their share and no more', async () => {
  for (const hostOf of [() => '192.0.2.1', (index: number) => `2001:db8::${(index + 1).toString(16)}`]) {
    const hall = new Hall()
    const ids = await hall.fill(MAX_STRANGERS_PER_ADDRESS + 5, hostOf)
    assert.equal(hall.open.size, MAX_STRANGERS_PER_ADDRESS)
    assert.ok(hall.open.has(ids.at(-1)!))
  }
})

test('loopback, where a devnet is, has no share of its own', async () => {
  const hall = new Hall()
  await hall.fill(MAX_STRANGERS_PER_ADDRESS + 5, () => '127.0.0.1')
  assert.equal(hall.open.size, MAX_STRANGERS_PER_ADDRESS + 5)
})

test('who transfers a shard is not idle', async () => {
  const hall = new Hall()
  const transferring = await hall.come('192.0.2.1', undefined, protocolId('test', 'shard'))
  const idle = await hall.fill(MAX_STRANGERS_PER_ADDRESS, () => '192.0.2.1')
  assert.ok(hall.open.has(transferring))
  assert.ok(!hall.open.has(idle[0]!))
})

test('who was certified meanwhile is a stranger no more', async () => {
  const hall = new Hall()
  const ids = await hall.fill(MAX_STRANGERS_PER_ADDRESS, () => '192.0.2.1')
  for (const id of ids) hall.members.add(id)
  await hall.come('192.0.2.1')
  assert.equal(hall.open.size, MAX_STRANGERS_PER_ADDRESS + 1)
})

test('one node, also a member, has a handful of connections: the oldest goes', async () => {
  const hall = new Hall()
  const member = SigningKey.generate().id
  hall.members.add(member)
  for (let i = 0; i < MAX_CONNECTIONS_PER_NODE; i++) await hall.come(distinctHost(i), member)
  assert.ok(hall.open.has(member))
  await hall.come(distinctHost(99), member)
  // The table is by node, so that the close of its oldest connection shows.
  assert.ok(!hall.open.has(member))
})
