import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '@weft/core'
import fc from 'fast-check'
import { LinkKeys } from '../../src/link/link-keys.ts'
import { Packet } from '../../src/packet/packet.ts'
import { Suite } from '../../src/packet/suite.ts'
import { blake2bMac, x25519PublicKey } from '../../src/sodium.ts'
import { WITH_AES } from '../node-aes.ts'
import { type LinkVectorInputs, type LinkVectorOutputs, runLinkVector } from './link-vector.ts'

const secret = (byte: number) => new Uint8Array(32).fill(byte)
const sides = (suite: Suite = Suite.chacha20Poly1305) => ({
  a: new LinkKeys({ localIndex: 10, remoteIndex: 20, send: secret(1), receive: secret(2), suite }, WITH_AES),
  b: new LinkKeys({ localIndex: 20, remoteIndex: 10, send: secret(2), receive: secret(1), suite }, WITH_AES),
})
const SUITES = Object.entries(Suite)

/** What the page says of each suite, by the names that OpenSSL has. */
const BY_THE_PAGE = {
  [Suite.chacha20Poly1305]: {
    aead: 'chacha20-poly1305',
    packetInfo: 'weft:link:packet:v1',
    headerInfo: 'weft:link:header:v1',
    mask: (key: Uint8Array, sample: Uint8Array) => createCipheriv('chacha20', key, sample).update(new Uint8Array(16)),
  },
  [Suite.aes256Gcm]: {
    aead: 'aes-256-gcm',
    packetInfo: 'weft:link:packet:aes256gcm:v1',
    headerInfo: 'weft:link:header:aes256:v1',
    mask: (key: Uint8Array, sample: Uint8Array) =>
      createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(sample),
  },
} as const

/** Opens a packet by the page and OpenSSL alone: no offset and no function is shared with the code under test. */
function openByThePage(
  packet: Uint8Array,
  key: Uint8Array,
  suite: Suite,
): { counter: bigint; plain: Uint8Array; body: Uint8Array } {
  const page = BY_THE_PAGE[suite]
  const bytes = packet.slice()
  const expand = (info: string) => createHmac('blake2s256', key).update(info).update(Uint8Array.of(1)).digest()
  const sample = bytes.subarray(20, 36)
  const mask = page.mask(expand(page.headerInfo), sample)
  const field = bytes.slice(4, 12).map((byte, i) => byte ^ mask[i]!)
  for (let i = 0; i < 8; i++) bytes[36 + i]! ^= mask[8 + i]!
  const isMessage = (field[0]! & 128) !== 0
  const nonce = new Uint8Array([0, 0, 0, 0, ...field])
  const open = createDecipheriv(page.aead as 'aes-256-gcm', expand(page.packetInfo), nonce, { authTagLength: 16 })
  const end = isMessage ? 1424 : 20
  if (!isMessage) open.setAAD(bytes.subarray(1340, 1440))
  open.setAuthTag(bytes.subarray(end, end + 16))
  const plain = new Uint8Array([...open.update(bytes.subarray(12, end)), ...open.final()])
  const counter = new DataView(field.buffer).getBigUint64(0) & ((1n << 63n) - 1n)
  return { counter, plain, body: bytes.subarray(36) }
}

interface LinkVector {
  readonly inputs: LinkVectorInputs
  readonly outputs: LinkVectorOutputs
}

/** Of ChaCha20-Poly1305 alone, and with AES-256-GCM. */
function readVectors(): readonly [LinkVector, LinkVector] {
  return JSON.parse(readFileSync(new URL('../vectors/link.json', import.meta.url), 'utf8')) as ReturnType<
    typeof readVectors
  >
}

for (const [name, suite] of SUITES)
  describe(`packets of a link, ${name}`, () => {
    it('have every field at the offset of docs/specs/packets.md', () => {
      const { a } = sides(suite)
      const packet = new Packet()
      const body = packet.body.fill(0xb0).slice()
      assert.ok(a.sealCell(packet, 0x8123_4567))
      assert.equal(new DataView(packet.bytes.buffer).getUint32(0), 20)
      // The circuit's counter, the first 8 bytes of the body, is hidden; the rest of the body is left as it was.
      assert.deepEqual(packet.bytes.subarray(44), body.subarray(8))
      assert.notDeepEqual(packet.bytes.subarray(36, 44), body.subarray(0, 8))
      let opened = openByThePage(packet.bytes, secret(1), suite)
      assert.deepEqual(opened.body, body)
      assert.equal(opened.counter, 0n)
      assert.equal(toHex(opened.plain), '8123456700000000')

      packet.content.fill(0xc0)
      assert.ok(a.sealMessage(packet, 3, 0x8123_4567))
      opened = openByThePage(packet.bytes, secret(1), suite)
      assert.equal(opened.counter, 1n)
      assert.equal(toHex(opened.plain), `8123456703000000${'c0'.repeat(1404)}`)
    })

    it('open at the other side once, in any order', () => {
      fc.assert(
        fc.property(
          fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
          fc.infiniteStream(fc.nat(1_000)),
          (kinds, picks) => {
            const { a, b } = sides(suite)
            const packets = kinds.map((isCell, i) => {
              const packet = new Packet()
              packet.body.fill(i)
              if (!isCell) packet.content.fill(i)
              assert.ok(isCell ? a.sealCell(packet, i) : a.sealMessage(packet, 2, i))
              return { packet, i, expected: isCell ? 'cell' : 'message' }
            })
            packets.sort((x, y) => ((x.i * 7919 + picks.next().value!) % 31) - ((y.i * 7919) % 31))
            for (const { packet, i, expected } of packets) {
              const again = new Packet()
              again.copyFrom(packet.bytes)
              assert.equal(b.open(packet), expected)
              assert.equal(packet.view.getUint32(12), i)
              assert.deepEqual(expected === 'cell' ? packet.body : packet.content, new Uint8Array(1404).fill(i))
              assert.equal(b.open(again), 'replayed')
            }
          },
        ),
        { numRuns: 50 },
      )
    })

    it('do not open when a bit of what the link authenticates was changed', () => {
      const { a, b } = sides(suite)
      const run = (isCell: boolean, at: number, bit: number): void => {
        const packet = new Packet()
        if (isCell) a.sealCell(packet, 1)
        else a.sealMessage(packet, 1, 1)
        packet.bytes[at]! ^= 1 << bit
        assert.equal(b.open(packet), 'not authentic', `${isCell ? 'cell' : 'message'}, byte ${at}, bit ${bit}`)
      }
      for (let at = 4; at < 1440; at++)
        for (const bit of [0, 3, 7]) {
          run(false, at, bit)
          if (at < 36 || at >= 1340) run(true, at, bit)
        }
    })

    it('tell nothing: equal cells make unlike headers, and counters do not show', () => {
      const { a } = sides(suite)
      const headers = Array.from({ length: 200 }, () => {
        const packet = new Packet()
        a.sealCell(packet, 1)
        return toHex(packet.bytes.subarray(4, 36))
      })
      assert.equal(new Set(headers.map((header) => header.slice(0, 16))).size, 200)
      assert.equal(new Set(headers.map((header) => header.slice(16))).size, 200)
    })

    it('are neither sealed nor opened once the keys are wiped', () => {
      const { a, b } = sides(suite)
      const packet = new Packet()
      a.sealCell(packet, 1)
      b.wipe()
      assert.equal(b.open(packet), 'not authentic')
      assert.throws(() => b.sealCell(packet, 1))
    })
  })

describe('packets of a link', () => {
  it('that begin a link have every field at the offset of the page', () => {
    const [{ inputs, outputs }] = readVectors()
    const responderKey = x25519PublicKey(fromHex(inputs.responderSecretKey))
    const keyOf = (label: string): Uint8Array =>
      createHash('blake2s256').update(`${label}\0`).update(responderKey).digest()
    const open = (key: Uint8Array, packet: Uint8Array, nonceAt: number, additional?: Uint8Array): Uint8Array => {
      const nonce = packet.subarray(nonceAt, nonceAt + 12)
      const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
      if (additional !== undefined) decipher.setAAD(additional)
      decipher.setAuthTag(packet.subarray(1424))
      return new Uint8Array([...decipher.update(packet.subarray(nonceAt + 12, 1424)), ...decipher.final()])
    }
    const [initiation, reply, proven] = [outputs.initiation, outputs.cookieReply, outputs.provenInitiation].map(fromHex)
    const plain = open(keyOf('weft:link:initiation:v1'), initiation!, 0)
    assert.equal(toHex(plain.subarray(0, 5)), '0101020304')
    assert.deepEqual(plain.subarray(1 + 4 + 1309), new Uint8Array(82 + 16))
    assert.equal(toHex(reply!.subarray(0, 4)), '01020304')
    const answer = open(keyOf('weft:link:cookie:v1'), reply!, 4, initiation!.subarray(1424))
    assert.equal(toHex(answer.subarray(0, 17)), `03${inputs.cookie}`)
    assert.deepEqual(answer.subarray(17), new Uint8Array(1408 - 17))
    const shown = open(keyOf('weft:link:initiation:v1'), proven!, 0)
    assert.deepEqual(shown.subarray(0, 1396), plain.subarray(0, 1396))
    const mac2 = new Uint8Array(16)
    blake2bMac(mac2, new Uint8Array([...proven!.subarray(0, 12), ...shown.subarray(0, 1396)]), fromHex(inputs.cookie))
    assert.deepEqual(shown.subarray(1396), mac2)
  })

  it('are those of the vectors', () => {
    for (const { inputs, outputs } of readVectors()) {
      const { kemCiphertext, kemSharedKey } = outputs
      assert.deepEqual(runLinkVector({ ...inputs, kemCiphertext, kemSharedKey }), outputs)
      for (const packet of [
        'initiation',
        'cookieReply',
        'provenInitiation',
        'response',
        'cell',
        'message',
        'cellBack',
      ] as const)
        assert.equal(fromHex(outputs[packet]).length, 1440)
    }
    const [plain, withAes] = readVectors()
    assert.equal(plain.outputs.kemCiphertext, withAes.outputs.kemCiphertext)
    assert.notEqual(plain.outputs.cell, withAes.outputs.cell)
  })
})
