import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromHex, seededRandom, systemRandom, toHex, utf8 } from '@weft/core'
import fc from 'fast-check'
import { ClientHandshake } from '../../src/circuit/client-handshake.ts'
import { decodeFirstMessage, encodeFirstMessage } from '../../src/circuit/handshake-message.ts'
import { authenticator, finalKeys, firstKeys, firstMac, secondKeys } from '../../src/circuit/ntor3.ts'
import { deriveKeys, encryptOnce } from '../../src/circuit/ntor3-functions.ts'
import { CircuitReason } from '../../src/circuit/reasons.ts'
import { SeenClientKeys } from '../../src/circuit/seen-client-keys.ts'
import { answerHandshake, type ServerHandshakeOptions } from '../../src/circuit/server-handshake.ts'
import { generateKemKeyPair } from '../../src/ml-kem.ts'
import { generateX25519 } from '../../src/x25519.ts'
import { x25519, x25519PublicKey } from '../../src/sodium.ts'
import { Suite, chooseSuite, readSuite } from '../../src/packet/suite.ts'
import { WITH_AES } from '../node-aes.ts'

interface TorVector {
  id: string
  b: string
  x: string
  y: string
  verification: string
  clientMessage: string
  serverMessage: string
  protocolId: string
  firstMessage: string
  secondMessage: string
  keys: string
}

test("the base functions reproduce Tor's published ntor-v3 vector", () => {
  const file = new URL('../vectors/tor-ntor3.json', import.meta.url)
  const vector = JSON.parse(readFileSync(file, 'utf8')) as TorVector
  const [nodeId, b, x, y] = [vector.id, vector.b, vector.x, vector.y].map(fromHex) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const [onionKey, clientKey, serverKey] = [b, x, y].map(x25519PublicKey) as [Uint8Array, Uint8Array, Uint8Array]
  const none = new Uint8Array(0)
  const second = {
    protocolId: utf8(vector.protocolId),
    nodeId,
    onionKey,
    clientKey,
    kemKey: none,
    verification: fromHex(vector.verification),
    serverKey,
    kemCiphertext: none,
  }
  const onion = x25519(x, onionKey)!
  const { encryptionKey, macKey } = firstKeys(onion, second)
  const encrypted = encryptOnce(encryptionKey, fromHex(vector.clientMessage))
  const mac = firstMac(macKey, second, encrypted)
  // Tor joins ID, B, X, the encrypted message and the MAC.
  assert.equal([nodeId, onionKey, clientKey, encrypted, mac].map(toHex).join(''), vector.firstMessage)
  const { keySeed, verifyKey } = secondKeys({ kem: none, ephemeral: x25519(y, clientKey)!, onion }, second)
  const [messageKey] = finalKeys(keySeed, second.protocolId, 1)
  const reply = encryptOnce(messageKey!, fromHex(vector.serverMessage))
  const auth = authenticator(verifyKey, second, mac, reply)
  assert.equal([serverKey, auth, reply].map(toHex).join(''), vector.secondMessage)
  assert.equal(finalKeys(keySeed, second.protocolId, 9).slice(1).map(toHex).join(''), vector.keys)
})

const networkId = 'weft-test'
const nodeId = new Uint8Array(32).fill(4)
const random = seededRandom(5)
const onion = generateX25519(random)

function start(change: Partial<Parameters<typeof ClientHandshake.start>[0]> = {}): ClientHandshake {
  const handshake = ClientHandshake.start({
    networkId,
    nodeId,
    onionKey: onion.publicKey,
    depth: 1,
    purpose: 1,
    suites: WITH_AES,
    random: systemRandom,
    ...change,
  })
  assert.ok(handshake)
  return handshake
}

function answer(message: Uint8Array, change: Partial<ServerHandshakeOptions> = {}) {
  const seen = new SeenClientKeys(100)
  return answerHandshake(message, {
    networkId,
    nodeId,
    onionKeys: [onion],
    depth: 1,
    suites: WITH_AES,
    seen,
    random: systemRandom,
    ...change,
  })
}

test('both sides agree on fresh keys and on the purpose', () => {
  const seen = new Set<string>()
  for (const purpose of [0, 1] as const) {
    const client = start({ purpose })
    assert.equal(client.message.length, 1291)
    const server = answer(client.message, { onionKeys: [generateX25519(random), onion] })
    assert.ok(typeof server === 'object')
    assert.equal(server.answer.length, 1154)
    assert.equal(server.purpose, purpose)
    const keys = client.finish(server.answer)
    assert.deepEqual(keys, server.keys)
    assert.equal(client.finish(server.answer), undefined, 'once only')
    seen.add(toHex(server.keys.forward)).add(toHex(server.keys.backward))
  }
  assert.equal(seen.size, 4)
})

test('AES-256-GCM seals where both sides have it; a hop takes no offer without ChaCha20-Poly1305, a client nothing that it did not offer', () => {
  for (const [ours, theirs, suite] of [
    [WITH_AES, WITH_AES, Suite.aes256Gcm],
    [WITH_AES, {}, Suite.chacha20Poly1305],
    [{}, WITH_AES, Suite.chacha20Poly1305],
    [{}, {}, Suite.chacha20Poly1305],
  ] as const) {
    const client = start({ suites: ours })
    const server = answer(client.message, { suites: theirs })
    assert.ok(typeof server === 'object')
    assert.deepEqual([server.keys.suite, client.finish(server.answer)?.suite], [suite, suite])
  }
  for (const [offer, chosen] of [
    [undefined, undefined],
    [0, undefined],
    [2, undefined],
    [254, undefined],
    [255, Suite.aes256Gcm],
    [5, Suite.chacha20Poly1305],
  ] as const)
    assert.equal(chooseSuite(offer, WITH_AES), chosen)
  assert.deepEqual(
    [undefined, 0, 1, 2, 3].map((value) => readSuite(value, {})),
    [undefined, undefined, 1, undefined, undefined],
  )
  assert.deepEqual(
    [1, 2, 3].map((value) => readSuite(value, WITH_AES)),
    [1, 2, undefined],
  )
})

test('a hop refuses what was not made for it', () => {
  const { message } = start()
  const other = new Uint8Array(32).fill(9)
  const cases: [string, Partial<ServerHandshakeOptions>][] = [
    ['another node', { nodeId: other }],
    ['another network', { networkId: 'weft-other' }],
    ['another depth', { depth: 2 }],
    ['an onion key that it no longer has', { onionKeys: [generateX25519(random)] }],
    [
      'an onion key whose name alone is the same',
      { onionKeys: [{ ...generateX25519(random), publicKey: onion.publicKey.with(20, 1) }] },
    ],
  ]
  for (const [name, change] of cases) assert.equal(answer(message, change), CircuitReason.handshakeRefused, name)
})

test('an unknown purpose is malformed, with a MAC that is right', () => {
  for (const purpose of [2, 255])
    assert.equal(answer(start({ purpose: purpose as 0 }).message), CircuitReason.malformed)
})

test('an X that was seen is refused under the same onion key only', () => {
  const seen = new SeenClientKeys(100)
  const { message } = start()
  assert.equal(typeof answer(message, { seen }), 'object')
  assert.equal(answer(message, { seen }), CircuitReason.handshakeRefused)
  assert.equal(seen.size, 1)
  seen.keepOnly([generateX25519(random)])
  assert.equal(seen.size, 0)
  assert.equal(typeof answer(message, { seen }), 'object')
})

test('the memory of client keys is bounded and never forgets the last `limit`', () => {
  const seen = new SeenClientKeys(50)
  const key = (n: number) => new Uint8Array(32).fill(n & 255).with(0, n >>> 8)
  for (let n = 0; n < 1000; n++) {
    assert.equal(seen.remember(onion.publicKey, key(n)), true)
    assert.equal(seen.remember(onion.publicKey, key(Math.max(0, n - 49))), false)
    assert.ok(seen.size <= 100)
  }
})

test('low-order keys and a KEM key that fails the check are refused', () => {
  assert.equal(
    ClientHandshake.start({
      networkId,
      nodeId,
      onionKey: new Uint8Array(32),
      depth: 1,
      purpose: 0,
      suites: WITH_AES,
      random,
    }),
    undefined,
  )
  // Remade whole with a hostile part, so that its MAC is right.
  const remade = (clientKey: Uint8Array, kemKey: Uint8Array, shared: Uint8Array): Uint8Array => {
    const first = {
      protocolId: utf8('weft:ntor3:mlkem768:v1'),
      nodeId,
      onionKey: onion.publicKey,
      clientKey,
      kemKey,
      verification: Buffer.concat([utf8('weft:circuit:v1\0'), utf8(networkId), Uint8Array.of(1)]),
    }
    const { encryptionKey, macKey } = firstKeys(shared, first)
    const encrypted = encryptOnce(encryptionKey, Uint8Array.of(1, 3))
    const mac = firstMac(macKey, first, encrypted)
    return encodeFirstMessage({ nodeId, keyId: onion.publicKey.slice(0, 8), clientKey, kemKey, encrypted, mac })
  }
  const own = generateX25519(random)
  const shared = x25519(own.secretKey, onion.publicKey)!
  const goodKem = decodeFirstMessage(start().message)!.kemKey
  assert.equal(typeof answer(remade(own.publicKey, goodKem, shared)), 'object', 'the remaking itself is right')
  assert.equal(
    answer(remade(own.publicKey, goodKem.slice().fill(0xff, 0, 384), shared)),
    CircuitReason.handshakeRefused,
  )
  assert.equal(answer(remade(new Uint8Array(32), goodKem, new Uint8Array(32))), CircuitReason.handshakeRefused)
})

test('every single changed byte of either message is refused, and the true answer is still taken', () => {
  const client = start()
  const server = answer(client.message)
  assert.ok(typeof server === 'object')
  fc.assert(
    fc.property(fc.nat(client.message.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = client.message.with(at, client.message[at]! ^ flip)
      assert.equal(typeof answer(changed), 'number')
    }),
    { numRuns: 150 },
  )
  fc.assert(
    fc.property(fc.nat(server.answer.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      assert.equal(client.finish(server.answer.with(at, server.answer[at]! ^ flip)), undefined)
    }),
    { numRuns: 150 },
  )
  assert.deepEqual(client.finish(server.answer), server.keys)
})

test('bytes of any kind and length never throw and never pass', () => {
  const client = start()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1404 }), (bytes) => {
      assert.equal(typeof answer(bytes), 'number')
      assert.equal(client.finish(bytes), undefined)
    }),
    { numRuns: 300 },
  )
  for (const length of [0, 1, 1290, 1292]) {
    const cut = new Uint8Array(length)
    cut.set(client.message.subarray(0, length))
    assert.equal(answer(cut), CircuitReason.malformed)
  }
})

test('a handshake that fails leaves no ephemeral key behind', () => {
  const drawn: Uint8Array[] = []
  const recorded = {
    bytes(length: number): Uint8Array {
      drawn.push(systemRandom.bytes(length))
      return drawn.at(-1)!
    },
  }
  const lowOrder = {
    networkId,
    nodeId,
    onionKey: new Uint8Array(32),
    depth: 1,
    purpose: 1,
    suites: WITH_AES,
    random: recorded,
  } as const
  assert.equal(ClientHandshake.start(lowOrder), undefined)
  const own = generateX25519(systemRandom)
  const kem = { ...generateKemKeyPair(), publicKey: new Uint8Array(1184).fill(0xff) }
  const { message } = start({ ephemeral: { x25519: own, kem } })
  assert.equal(answer(message, { random: recorded }), CircuitReason.handshakeRefused)
  assert.deepEqual(drawn, [new Uint8Array(32), new Uint8Array(32)])
})

test('derived keys do not depend on how many are asked for', () => {
  const [one] = deriveKeys([nodeId], 't', 1)
  const [first, second] = deriveKeys([nodeId], 't', 2)
  assert.deepEqual(first, one)
  assert.notDeepEqual(second, one)
})
