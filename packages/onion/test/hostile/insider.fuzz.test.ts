import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Random, randomInt, seededRandom, utf8 } from '@weft/core'
import { blake2s } from '../../src/link/blake2s.ts'
import { writeHiddenReply } from '../../src/link/hidden-reply.ts'
import { writeInitiation } from '../../src/link/initiation-packet.ts'
import { LinkInitiation, ReceivedInitiation, initiationAead } from '../../src/link/link-handshake.ts'
import type { LinkKeys } from '../../src/link/link-keys.ts'
import { Aead } from '../../src/packet/aead.ts'
import { Packet } from '../../src/packet/packet.ts'
import { generateX25519 } from '../../src/x25519.ts'
import { CLIENT, LinkedNodes } from '../circuit/linked-nodes.ts'
import { TestNetwork } from '../link/link-network.ts'

// What comes from somebody who has the keys that hide or seal a packet: each parser behind them reads what he likes to say.

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 3)
const TESTS = 3

/** Calls `once` for its share of the time. */
async function fuzz(t: TestContext, once: (random: Random, run: number) => void | Promise<void>): Promise<number> {
  const seed = Math.floor(performance.timeOrigin)
  const random = seededRandom(seed)
  const end = performance.now() + (SECONDS * 1_000) / TESTS
  let runs = 0
  while (performance.now() < end) await once(random, runs++)
  t.diagnostic(`${runs} runs of seed ${seed}`)
  return runs
}

/** Of a right message: as it is, with some bytes changed, or with nothing of it left. */
function spoil(random: Random, bytes: Uint8Array, from = 0): void {
  switch (randomInt(random, 4)) {
    case 0:
      bytes.set(random.bytes(bytes.length - from), from)
      break
    case 1:
      bytes.fill(randomInt(random, 256), from + randomInt(random, bytes.length - from))
      break
    default:
      for (let changes = 1 + randomInt(random, 3); changes > 0; changes--)
        bytes[from + randomInt(random, bytes.length - from)]! ^= 1 + randomInt(random, 255)
  }
}

test('fuzz: initiations by who knows the key: one that Noise did not make is no link, whatever it says', async (t) => {
  const network = new TestNetwork()
  const server = network.add(1, { limits: { loadedFrom: 1e6, handshakes: 1e6 } })
  const hiding = initiationAead(server.keys.publicKey)
  const packet = new Packet()
  const right = (random: Random): void => {
    const keys = generateX25519(random)
    const options = { networkId: 'test', keys, random }
    const input = { responderKey: server.keys.publicKey, localIndex: 1, time: network.clock.now(), part: 0 }
    new LinkInitiation(options, input, packet).wipe()
    assert.ok(hiding.open(packet.messagePlain, packet.messageSealed, undefined, packet.nonce))
  }
  await fuzz(t, (random, run) => {
    right(random)
    const before = packet.bytes.slice(12, 1326)
    if (run % 5 === 0) {
      const noise = random.bytes(1309)
      writeInitiation(packet, hiding, { index: randomInt(random, 2 ** 32), noise, cookie: random.bytes(16) }, random)
    } else {
      spoil(random, packet.messagePlain)
      hiding.seal(packet.messageSealed, packet.messagePlain, undefined, packet.nonce)
    }
    const sent = packet.bytes.slice()
    server.links.receive(packet, { address: '198.51.100.1', port: 1 + (run % 60_000) })
    while (server.links.work());
    packet.bytes.set(sent)
    hiding.open(packet.messagePlain, packet.messageSealed, undefined, packet.nonce)
    // Only mac2 may have been changed, which nobody asked for.
    if (server.links.size > 0) {
      assert.deepEqual(packet.bytes.subarray(12, 1326), before)
      assert.deepEqual(packet.bytes.subarray(1326, 1408), new Uint8Array(82))
      server.links.close()
      server.start({ limits: { loadedFrom: 1e6, handshakes: 1e6 } })
    }
  })
  assert.deepEqual(server.events, [])
})

test('fuzz: answers by who saw the initiation and knows the key: none makes a link, and a cookie is taken as it is', async (t) => {
  const packet = new Packet()
  const random = seededRandom(1)
  const server = generateX25519(random)
  const options = { networkId: 'test', keys: generateX25519(random), random }
  const input = { responderKey: server.publicKey, localIndex: 7, time: 1_700_000_000_000, part: 0 }
  await fuzz(t, (fuzzed, run) => {
    // A hundred answers to each.
    const initiation = new LinkInitiation(options, input, packet)
    const hash = noiseHash(packet, server, options.random)
    const key = new Aead(blake2s(utf8('weft:link:response:v1\0'), hash))
    const tag = packet.bytes.slice(1424)
    const response = fuzzed.bytes(1157)
    for (let i = 0; i < 100; i++) {
      const reply = new Packet()
      spoil(fuzzed, response)
      if (i % 2 === 0)
        writeHiddenReply(reply, key, undefined, { index: 7, type: randomInt(fuzzed, 4), content: response }, fuzzed)
      else {
        const cookieKey = new Aead(blake2s(utf8('weft:link:cookie:v1\0'), server.publicKey))
        const content = response.subarray(0, 17 + randomInt(fuzzed, 100))
        writeHiddenReply(reply, cookieKey, tag, { index: 7, type: 3, content }, fuzzed)
      }
      assert.equal(initiation.readResponse(reply), undefined)
      const cookie = initiation.readCookie(reply)
      if (cookie !== undefined) assert.equal(cookie.length, 16)
    }
    initiation.wipe()
    assert.equal(initiation.readCookie(packet), undefined, `run ${run}`)
  })
})

test('fuzz: packets of a neighbour under true keys: nothing is thrown, and no more is held than the limits say', async (t) => {
  const nodes = new LinkedNodes()
  nodes.log = []
  const circuit = nodes.build()
  nodes.settle()
  assert.equal(circuit.state, 'ready')
  // In the place of the client: a link of its own to the entry, whose keys this test has.
  const random = seededRandom(3)
  const mine = await neighbour(nodes, random)
  const packet = new Packet()
  const messages = nodes.log.map(({ bytes }) => bytes)
  let accepted = 0
  await fuzz(t, (fuzzed, run) => {
    packet.bytes.set(messages[randomInt(fuzzed, messages.length)]!)
    const id = fuzzed.bytes(4)
    const circuitId = run % 3 === 0 ? 0x8000_0001 : new DataView(id.buffer, id.byteOffset).getUint32(0)
    if (run % 2 === 0) {
      spoil(fuzzed, packet.body)
      assert.ok(mine.sealCell(packet, run % 5 === 0 ? 0 : circuitId))
    } else {
      // Lengths that fit now and then, so that what is behind them is read as well.
      spoil(fuzzed, packet.content, 3)
      packet.content.set([randomInt(fuzzed, 6), randomInt(fuzzed, 6), randomInt(fuzzed, 256)])
      assert.ok(mine.sealMessage(packet, randomInt(fuzzed, 8), run % 7 === 0 ? 0 : circuitId))
    }
    nodes.deliver({ bytes: packet.bytes, from: 9, to: 0 })
    nodes.lose()
    accepted++
  })
  const { links, circuits } = nodes.machine(0)
  assert.ok(accepted > 0)
  assert.equal(links.counters.notAuthentic, 0)
  assert.ok(links.size <= 3 && circuits.size <= 1 + 64, `${links.size} links, ${circuits.size} circuits`)
  await nodes.pass(1_000)
  assert.deepEqual([nodes.down, circuit.state, nodes.machine(CLIENT).circuits.size], [[], 'ready', 1])
})

/** The handshake hash after the first message, which whoever knows the responder's secret key computes; here for the test. */
function noiseHash(packet: Packet, server: ReturnType<typeof generateX25519>, random: Random): Uint8Array {
  const copy = new Packet()
  copy.copyFrom(packet.bytes)
  const hiding = initiationAead(server.publicKey)
  assert.ok(hiding.open(copy.messagePlain, copy.messageSealed, undefined, copy.nonce))
  const received = ReceivedInitiation.read({ networkId: 'test', keys: server, random }, copy.bytes.subarray(13, 1326))
  assert.ok(received !== undefined)
  const { hash } = received
  received.wipe()
  return hash
}

/** Shakes hands with the entry by hand: keys under which this test seals what it likes. */
async function neighbour(nodes: LinkedNodes, random: Random): Promise<LinkKeys> {
  const packet = new Packet()
  const options = { networkId: 'test', keys: generateX25519(random), random }
  const input = { responderKey: nodes.linkKey(0), localIndex: 0x0909_0909, time: nodes.clock.now(), part: 0 }
  const initiation = new LinkInitiation(options, input, packet)
  nodes.deliver({ bytes: packet.bytes.slice(), from: 9, to: 0 })
  const reply = nodes.log?.at(-1)
  assert.ok(reply !== undefined && packet.copyFrom(reply.bytes))
  const keys = initiation.readResponse(packet)
  assert.ok(keys !== undefined)
  nodes.lose()
  await nodes.pass(0)
  return keys
}
