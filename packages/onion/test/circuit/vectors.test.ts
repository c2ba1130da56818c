import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromHex, seededRandom, toHex } from '@weft/core'
import { ClientHandshake } from '../../src/circuit/client-handshake.ts'
import { readControl, writeControl } from '../../src/circuit/control.ts'
import type { HopCounts } from '../../src/circuit/hop-counts.ts'
import {
  isEarlyUnit,
  OpeningLayer,
  SESSION_CONTROL,
  SealingLayer,
  sessionKind,
  UnitKind,
} from '../../src/circuit/layer.ts'
import { Padding } from '../../src/circuit/padding.ts'
import { SeenClientKeys } from '../../src/circuit/seen-client-keys.ts'
import { answerHandshake } from '../../src/circuit/server-handshake.ts'
import { Packet } from '../../src/packet/packet.ts'
import { x25519PublicKey } from '../../src/sodium.ts'
import { unitLength } from '../../src/packet/sizes.ts'
import { kindAt, movedSpan, nestedSpan, unitSpan } from '../../src/packet/span.ts'
import { type Suite, newAead } from '../../src/packet/suite.ts'
import { WITH_AES } from '../node-aes.ts'

interface Vectors {
  handshake: Record<
    | 'networkId'
    | 'nodeId'
    | 'b'
    | 'x'
    | 'y'
    | 'kemSeed'
    | 'kemCiphertext'
    | 'kemSharedKey'
    | 'firstMessage'
    | 'secondMessage'
    | 'forward'
    | 'backward',
    string
  > & { depth: number; purpose: 1; suite: Suite }
  early: Record<'earlyKey' | 'firstMessage' | 'extends' | 'unit', string> & { time: number; counter: number }
  counters: { token: string; counts: HopCounts; count: string; counted: string }
  tiers: Record<'forwardKey' | 'backwardKey' | 'tell' | 'answer' | 'padding' | 'sessionPadding', string> &
    Record<'tellCounter' | 'answerCounter' | 'paddingCounter' | 'sessionPaddingCounter', number>
  packets: Record<'forwardKeys' | 'forwardUnits' | 'backwardKeys' | 'backwardUnits', [string, string, string]> &
    Record<'forwardCounters' | 'backwardCounters' | 'suites', [number, number, number]> & { payload: string }
}

const { handshake, early, counters, tiers, packets } = JSON.parse(
  readFileSync(new URL('../vectors/circuit.json', import.meta.url), 'utf8'),
) as Vectors
const random = seededRandom(1)

test('the hybrid handshake makes the messages and keys of the vector', () => {
  const pair = (secret: string) => ({ secretKey: fromHex(secret), publicKey: x25519PublicKey(fromHex(secret)) })
  const { networkId, nodeId } = { networkId: handshake.networkId, nodeId: fromHex(handshake.nodeId) }
  const { depth, purpose } = handshake
  const onion = pair(handshake.b)
  const secretKey = createPrivateKey({
    key: Buffer.from(handshake.kemSeed, 'hex'),
    format: 'raw-seed',
    asymmetricKeyType: 'ml-kem-768',
  })
  const client = ClientHandshake.start({
    networkId,
    nodeId,
    onionKey: onion.publicKey,
    depth,
    purpose,
    suites: WITH_AES,
    random,
    ephemeral: {
      x25519: pair(handshake.x),
      kem: { publicKey: createPublicKey(secretKey).export({ format: 'raw-public' }), secretKey },
    },
  })
  assert.ok(client)
  assert.equal(toHex(client.message), handshake.firstMessage)
  const server = answerHandshake(client.message, {
    networkId,
    nodeId,
    onionKeys: [onion],
    depth,
    suites: WITH_AES,
    seen: new SeenClientKeys(10),
    random,
    ephemeral: {
      x25519: pair(handshake.y),
      kem: { ciphertext: fromHex(handshake.kemCiphertext), sharedKey: fromHex(handshake.kemSharedKey) },
    },
  })
  assert.ok(typeof server === 'object')
  assert.equal(toHex(server.answer), handshake.secondMessage)
  const keys = client.finish(server.answer)
  assert.ok(keys)
  assert.deepEqual([toHex(keys.forward), toHex(keys.backward)], [handshake.forward, handshake.backward])
  assert.deepEqual(keys, server.keys)
  assert.equal(keys.suite, handshake.suite)
})

test('a hop takes the early key and the early unit of the vector', () => {
  const secretKey = fromHex(handshake.b)
  const server = answerHandshake(fromHex(early.firstMessage), {
    networkId: handshake.networkId,
    nodeId: fromHex(handshake.nodeId),
    onionKeys: [{ secretKey, publicKey: x25519PublicKey(secretKey) }],
    depth: handshake.depth,
    suites: WITH_AES,
    seen: new SeenClientKeys(10),
    gate: { takes: (time) => time === early.time },
    random,
  })
  assert.ok(typeof server === 'object' && server.earlyKey !== undefined)
  assert.deepEqual([server.purpose, toHex(server.earlyKey)], [0, early.earlyKey])
  const head = new Packet()
  head.body.set(fromHex(early.unit))
  assert.ok(isEarlyUnit(head))
  const span = movedSpan(handshake.depth)
  const out = new Packet()
  const opened = new OpeningLayer(newAead(1, server.earlyKey, WITH_AES), true).open(out, head, span)
  assert.deepEqual([opened, out.bytes[kindAt(span)]], [early.counter, UnitKind.control])
  const control = readControl(out.plainOf(span).subarray(0, -1))
  assert.ok(control?.kind === 'extend')
  assert.equal(toHex(control.message), early.extends)
})

test('a question for counters and its answer are the bytes of the vector', () => {
  const token = fromHex(counters.token)
  for (const [control, bytes] of [
    [{ kind: 'count', token } as const, counters.count],
    [{ kind: 'counted', token, counts: counters.counts } as const, counters.counted],
  ] as const) {
    const content = new Uint8Array(100).fill(0xee)
    writeControl(content, control)
    assert.equal(toHex(content), bytes.padEnd(200, '0'))
    assert.deepEqual(readControl(content), control)
  }
})

test('what is said of tiers, and padding, are the units of the vector', () => {
  const padding = new Padding(random)
  for (const [name, key, counter, kind, control] of [
    ['tell', tiers.forwardKey, tiers.tellCounter, UnitKind.control, { kind: 'tier', tier: 'high' }],
    ['answer', tiers.backwardKey, tiers.answerCounter, UnitKind.control, { kind: 'tiered', tier: 'standard' }],
    ['padding', tiers.backwardKey, tiers.paddingCounter, UnitKind.padding, undefined],
    ['sessionPadding', tiers.backwardKey, tiers.sessionPaddingCounter, UnitKind.padding, undefined],
  ] as const) {
    const packet = new Packet()
    const span = unitSpan(1)
    const content = packet.unitPayload(1)
    if (control !== undefined) writeControl(content, control)
    packet.bytes[kindAt(span)] = kind
    new SealingLayer(newAead(1, fromHex(key), WITH_AES), padding, 0).seal(packet, packet, span, counter)
    assert.equal(toHex(packet.body.subarray(0, unitLength(1))), tiers[name])
    const isSession = name === 'sessionPadding'
    const opened = new OpeningLayer(newAead(1, fromHex(key), WITH_AES), isSession).open(packet, packet, span)
    assert.equal(opened, counter)
    if (isSession) assert.equal(sessionKind(opened, packet.bytes[kindAt(span)]), UnitKind.padding)
    if (control !== undefined) assert.deepEqual(readControl(packet.unitPayload(1)), control)
    else assert.ok(packet.unitPayload(1).every((byte) => byte === 0))
  }
})

test('three layers are sealed and opened as in the vector, nested and at the head of the body', () => {
  const padding = new Padding(random)
  for (const direction of ['forward', 'backward'] as const) {
    const aeads = packets[`${direction}Keys`].map((key, depth) =>
      newAead(packets.suites[depth] as Suite, fromHex(key), WITH_AES),
    )
    const counters = packets[`${direction}Counters`]
    const units = packets[`${direction}Units`]
    const packet = new Packet()
    packet.nestedPayload(2).set(fromHex(packets.payload))
    for (const depth of [2, 1, 0]) {
      packet.bytes[kindAt(nestedSpan(depth))] = depth === 2 ? UnitKind.session : UnitKind.pass
      const layer = new SealingLayer(aeads[depth]!, padding, depth === 2 ? SESSION_CONTROL : 0)
      layer.seal(packet, packet, nestedSpan(depth), counters[depth]!)
    }
    assert.equal(toHex(packet.body), units[0])
    for (const depth of [0, 1, 2]) {
      const head = new Packet()
      head.body.set(fromHex(units[depth]!))
      const out = new Packet()
      const opened = new OpeningLayer(aeads[depth]!, depth === 2).open(out, head, movedSpan(depth))
      assert.equal(opened, counters[depth])
      const content = toHex(out.plainOf(movedSpan(depth)))
      assert.equal(content, depth === 2 ? `${packets.payload}02` : `${units[depth + 1]}00`)
    }
  }
})
