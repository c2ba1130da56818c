import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom, VirtualClock } from '@weft/core'
import { ClientCircuits } from '../../src/circuit/client-circuits.ts'
import { type ExitCircuit } from '../../src/circuit/exit-circuit.ts'
import { CircuitReason } from '../../src/circuit/reasons.ts'
import { RelayCircuits } from '../../src/circuit/relay-circuits.ts'
import { generateX25519 } from '../../src/x25519.ts'
import { type Endpoint } from '../../src/link/endpoint.ts'
import { LinkSet } from '../../src/link/link-set.ts'
import { Packet } from '../../src/packet/packet.ts'
import { say, textOf } from './fake-network.ts'

interface Machines {
  readonly links: LinkSet
  readonly circuits: RelayCircuits | ClientCircuits
}

test('a circuit over real links: packets of 1440 bytes both ways, and a hop that falls silent is named', async () => {
  const clock = new VirtualClock(1_700_000_000_000)
  const random = seededRandom(11)
  const queue: { bytes: Uint8Array; from: number; to: number }[] = []
  const machines: Machines[] = []
  const silent = new Set<number>()
  const endpoint = (at: number): Endpoint => ({ address: '192.0.2.1', port: 7000 + at })
  const linkKeys = [0, 1, 2].map(() => generateX25519(random))
  const onions = [0, 1, 2].map(() => generateX25519(random))
  const ids = [0, 1, 2].map((at) => new Uint8Array(32).fill(at + 1))
  const exits: ExitCircuit[] = []
  const arrived: string[] = []

  const addLinks = (at: number, circuits: (links: LinkSet) => Machines['circuits']): void => {
    const keys = linkKeys[at]
    const links = new LinkSet({
      networkId: 'test',
      clock,
      random,
      ...(keys === undefined ? {} : { keys }),
      listen: keys !== undefined,
      send: (bytes, to) => queue.push({ bytes: bytes.slice(), from: at, to: to.port - 7000 }),
      onCell: (link, id, packet) => made.onCell(link, id, packet),
      onMessage: (link, command, id, content) => made.onMessage(link, command, id, content),
      onLink: (link, state) => {
        if (state === 'down') made.onLinkDown(link)
      },
    })
    const made = circuits(links)
    machines[at] = { links, circuits: made }
  }
  for (const at of [0, 1, 2])
    addLinks(
      at,
      (links) =>
        new RelayCircuits({
          id: ids[at]!,
          networkId: 'test',
          onionKeys: () => [onions[at]!],
          roles: { entry: at === 0, relay: at === 1, exit: at === 2 },
          clock,
          random,
          nextHop: (id, role) => {
            const next = ids.findIndex((other) => Buffer.compare(other, id) === 0)
            const fits = role === 'relay' ? next === 1 : next === 2
            return fits ? links.connect(endpoint(next), linkKeys[next]!.publicKey, false) : undefined
          },
          isMember: (key) => ids[linkKeys.findIndex((pair) => Buffer.compare(pair.publicKey, key) === 0)],
          exit: {
            accept: (circuit) => {
              exits.push(circuit)
              circuit.onPacket = (_, payload) => arrived.push(textOf(payload))
              return true
            },
          },
        }),
    )
  addLinks(3, () => new ClientCircuits({ networkId: 'test', clock, random }))

  const settle = (): void => {
    const packet = new Packet()
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      assert.equal(item.bytes.length, 1440)
      if (silent.has(item.from) || silent.has(item.to)) continue
      packet.copyFrom(item.bytes)
      machines[item.to]!.links.receive(packet, endpoint(item.from))
      const { links, circuits } = machines[item.to]!
      while (links.work());
      if (circuits instanceof RelayCircuits) while (circuits.work());
    }
  }
  const pass = async (ms: number): Promise<void> => {
    for (let gone = 0; gone < ms; gone += 500) {
      await clock.advance(500)
      for (const machine of machines.flatMap(({ links, circuits }) => [links, circuits]))
        if ((machine.nextTimeout() ?? Infinity) <= clock.monotonic()) machine.onTimeout()
      settle()
    }
  }

  const back: string[] = []
  const ends: [number, number][] = []
  const client = machines[3]!.circuits as ClientCircuits
  const circuit = client.build({
    link: machines[3]!.links.connect(endpoint(0), linkKeys[0]!.publicKey, true),
    hops: ids.map((id, at) => ({ id, onionKey: onions[at]!.publicKey })),
    timeoutMs: 5000,
    onPacket: (_, payload) => back.push(textOf(payload)),
    onEnd: (reason, hop) => ends.push([reason, hop]),
  })
  settle()
  assert.equal(circuit.state, 'ready', 'without any timer')
  for (let i = 0; i < 100; i++) {
    assert.ok(circuit.seal(say(i, `up ${i}`)))
    assert.ok(exits[0]!.seal(say(i, `down ${i}`)))
    settle()
  }
  const texts = (word: string): string[] => Array.from({ length: 100 }, (_, i) => `${word} ${i}`)
  assert.deepEqual(arrived, texts('up'))
  assert.deepEqual(back, texts('down'))
  // Keys of every link are renewed twice; a unit now and then keeps the circuit.
  for (let i = 0; i < 10; i++) {
    await pass(30_000)
    circuit.ping(2)
    settle()
  }
  assert.ok(circuit.seal(say(200, 'later')))
  settle()
  assert.equal(arrived.at(-1), 'later')
  silent.add(2)
  await pass(40_000)
  assert.deepEqual(ends, [[CircuitReason.linkLost, 2]])
  for (const { circuits } of machines) assert.equal(circuits.size, 0)
})
