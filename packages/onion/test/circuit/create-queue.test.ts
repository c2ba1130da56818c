import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinkCommand } from '../../src/link/link-command.ts'
import { CreateQueue } from '../../src/circuit/create-queue.ts'
import { CircuitReason } from '../../src/circuit/reasons.ts'
import type { WaitingCreate } from '../../src/circuit/waiting-create.ts'
import { type FakeLink, FakeNetwork, type Item } from './fake-network.ts'

const waiting = (link: FakeLink, circuitId: number, isMember = false): WaitingCreate => ({
  link,
  isMember,
  circuitId,
  depth: 0,
  message: new Uint8Array(1),
  hash: new Uint8Array(32),
  early: [],
})

test('keys have their turn one after the other, and each its creates in their order', () => {
  const network = new FakeNetwork()
  const [a, b, c] = ['a', 'b', 'c'].map((name) => network.link('C', name)) as [FakeLink, FakeLink, FakeLink]
  const queue = new CreateQueue(6)
  for (const id of [1, 2, 3, 4]) assert.equal(queue.add(waiting(a, id)), undefined)
  assert.equal(queue.add(waiting(b, 5)), undefined)
  assert.equal(queue.add(waiting(c, 6)), undefined)
  assert.deepEqual([queue.size, queue.of(a.peerName), queue.get(a, 3)?.circuitId], [6, 4, 3])
  // No room: who has most waiting gives up its last, be it the one that comes.
  assert.equal(queue.add(waiting(b, 7))?.circuitId, 4)
  assert.equal(queue.add(waiting(a, 8))?.circuitId, 8)
  assert.equal(queue.remove(a, 2), true)
  assert.equal(queue.remove(a, 2), false)
  assert.deepEqual(
    Array.from({ length: 6 }, () => queue.take()?.circuitId),
    [1, 5, 6, 3, 7, undefined],
  )
  queue.add(waiting(a, 9))
  queue.drop(a)
  assert.equal(queue.size, 0)
})

test('the links of a key have one line; what comes over one of them is found and dropped by that link', () => {
  const network = new FakeNetwork()
  const [one, two, other] = [network.link('C', 'a'), network.link('C', 'a', 1), network.link('C', 'b')]
  const queue = new CreateQueue(5)
  const add = (link: FakeLink, circuitId: number): number | undefined => queue.add(waiting(link, circuitId))?.circuitId
  // The same id twice: ids belong to links.
  for (const [link, id] of [
    [one, 1],
    [two, 1],
    [one, 2],
    [two, 3],
    [other, 4],
  ] as const)
    assert.equal(add(link, id), undefined)
  assert.equal(queue.of(one.peerName), 4)
  assert.equal(queue.get(two, 1)?.link, two)
  assert.equal(queue.get(one, 3), undefined)
  assert.equal(add(other, 5), 3, 'the longest line is that of both links together')
  assert.equal(queue.remove(one, 3), false)
  queue.drop(two)
  assert.deepEqual([queue.size, queue.of(one.peerName)], [4, 2])
  queue.drop(two)
  assert.deepEqual(
    Array.from({ length: 5 }, () => queue.take()?.circuitId),
    [1, 4, 2, 5, undefined],
  )
  add(two, 6)
  queue.drop(two)
  assert.deepEqual([queue.size, queue.of(one.peerName), queue.take()], [0, 0, undefined])
})

test('however many keys a client has, a member has every other turn, and half of the room', () => {
  const network = new FakeNetwork()
  const member = network.link('C', 'm')
  const clients = Array.from({ length: 20 }, (_, at) => network.link('C', `c${at}`))
  const queue = new CreateQueue(8)
  for (const id of [1, 2, 3, 4]) assert.equal(queue.add(waiting(member, id, true)), undefined)
  for (const [at, link] of clients.entries()) assert.equal(queue.add(waiting(link, 100 + at)) !== undefined, at >= 4)
  assert.deepEqual([queue.size, queue.of(member.peerName)], [8, 4])
  const taken = Array.from({ length: 8 }, () => queue.take()?.link === member)
  assert.deepEqual(taken, [true, false, true, false, true, false, true, false])
  for (let id = 1; id <= 9; id++) assert.equal(queue.add(waiting(member, id, true))?.circuitId, id > 8 ? id : undefined)
  // And the other way round.
  for (const link of clients.slice(0, 4)) assert.equal(queue.add(waiting(link, 7))?.link, member)
  assert.equal(queue.add(waiting(clients[4]!, 7))?.isMember, false)
})

/** Creates of the client to node a, recorded and not yet delivered. */
function creates(network: FakeNetwork, count: number): Item[] {
  for (let i = 0; i < count; i++) network.build('abc')
  const items = network.queue.filter((item) => item.command === LinkCommand.create)
  network.queue = []
  return items
}

const answers = (network: FakeNetwork): (readonly [number, number])[] =>
  network.queue.map(({ command, bytes }) => [command, command === LinkCommand.destroy ? bytes[0]! : 0])

test('a node answers a few handshakes a turn, refuses what is beyond the queue of a key, and serves others meanwhile', () => {
  const network = new FakeNetwork('abcde', { a: { limits: { waitingPerClient: 8, handshakesPerTurn: 2 } } })
  const items = creates(network, 12)
  network.works = false
  for (const item of items) network.deliver(item)
  const { circuits } = network.node('a')
  assert.deepEqual([circuits.waiting, circuits.size], [8, 0])
  assert.deepEqual(
    answers(network),
    Array.from({ length: 4 }, () => [LinkCommand.destroy, CircuitReason.tooManyCircuits]),
  )
  network.queue = []
  // Another client comes last, and has the second turn.
  const link = network.link('D', 'a')
  network.deliver({ ...items[11]!, link: link.other, from: 'D' })
  network.queue = []
  assert.equal(circuits.work(), true)
  assert.deepEqual(
    network.queue.map(({ to, command }) => [to, command]),
    [
      ['C', LinkCommand.created],
      ['D', LinkCommand.created],
    ],
  )
  while (circuits.work());
  assert.deepEqual([circuits.waiting, circuits.size], [0, 9])
})

test('a create that comes again waits once; with another message it is refused; destroyed or its link lost, it is forgotten', () => {
  const network = new FakeNetwork()
  const [one, two, three] = creates(network, 3) as [Item, Item, Item]
  network.works = false
  const { circuits } = network.node('a')
  for (const item of [one, one, two, three]) network.deliver(item)
  assert.equal(circuits.waiting, 3)
  const changed = one.bytes.slice()
  changed[40]! ^= 1
  network.deliver({ ...one, bytes: changed })
  assert.deepEqual([circuits.waiting, answers(network)], [2, [[LinkCommand.destroy, CircuitReason.malformed]]])
  network.deliver({ ...two, command: LinkCommand.destroy, bytes: new Uint8Array(1404) })
  assert.equal(circuits.waiting, 1)
  circuits.onLinkDown(three.link)
  assert.equal(circuits.waiting, 0)
  assert.equal(circuits.work(), false)
  assert.equal(circuits.size, 0)
})

test('a node that stops refuses what waits', () => {
  const network = new FakeNetwork()
  const items = creates(network, 2)
  network.works = false
  for (const item of items) network.deliver(item)
  network.node('a').circuits.close()
  assert.deepEqual(
    answers(network),
    Array.from({ length: 2 }, () => [LinkCommand.destroy, CircuitReason.stopping]),
  )
  assert.equal(network.node('a').circuits.waiting, 0)
})

test('the limit on circuits of a key holds for those that waited, too', () => {
  const network = new FakeNetwork('abcde', { a: { limits: { perClient: 3 } } })
  const items = creates(network, 6)
  network.works = false
  for (const item of items) network.deliver(item)
  const { circuits } = network.node('a')
  while (circuits.work());
  assert.equal(circuits.size, 3)
})
