import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { type Random, fromHex, seededRandom, toHex, utf8 } from '@weft/core'
import fc from 'fast-check'
import { generateX25519 } from '../../../src/x25519.ts'
import { NoiseHandshake } from '../../../src/link/noise/noise-handshake.ts'
import { IK, IK_HFS } from '../../../src/link/noise/pattern.ts'
import { aeadSeal, x25519PublicKey } from '../../../src/sodium.ts'

interface Vector {
  readonly initPrologue: string
  readonly initStatic: string
  readonly initEphemeral: string
  readonly initRemoteStatic: string
  readonly respStatic: string
  readonly respEphemeral: string
  readonly handshakeHash: string
  readonly messages: readonly { payload: string; ciphertext: string }[]
}
const vector = JSON.parse(readFileSync(new URL('../../vectors/noise-ik.json', import.meta.url), 'utf8')) as Vector

const fixed = (hex: string): Random => ({ bytes: () => fromHex(hex) })
const pair = (hex: string) => ({ secretKey: fromHex(hex), publicKey: x25519PublicKey(fromHex(hex)) })

function pairOfHandshakes(seed: number, prologues: [string, string] = ['p', 'p']) {
  const random = seededRandom(seed)
  const [initiatorKeys, responderKeys] = [generateX25519(random), generateX25519(random)]
  const common = { pattern: IK_HFS, random, responderKey: responderKeys.publicKey }
  return {
    initiatorKeys,
    initiator: new NoiseHandshake({ ...common, initiator: true, prologue: utf8(prologues[0]), keys: initiatorKeys }),
    responder: new NoiseHandshake({ ...common, initiator: false, prologue: utf8(prologues[1]), keys: responderKeys }),
  }
}

describe('the Noise state machine', () => {
  it('gives the bytes of the published IK vectors, on both sides', () => {
    const responderKeys = pair(vector.respStatic)
    assert.equal(toHex(responderKeys.publicKey), vector.initRemoteStatic)
    const common = { pattern: IK, prologue: fromHex(vector.initPrologue), responderKey: responderKeys.publicKey }
    const initiatorKeys = pair(vector.initStatic)
    const initiator = new NoiseHandshake({
      ...common,
      initiator: true,
      keys: initiatorKeys,
      random: fixed(vector.initEphemeral),
    })
    const responder = new NoiseHandshake({
      ...common,
      initiator: false,
      keys: responderKeys,
      random: fixed(vector.respEphemeral),
    })
    const [first, second, ...transport] = vector.messages
    assert.equal(toHex(initiator.writeMessage(fromHex(first!.payload))!), first!.ciphertext)
    assert.equal(toHex(responder.readMessage(fromHex(first!.ciphertext))!), first!.payload)
    assert.deepEqual(responder.remoteStatic, initiatorKeys.publicKey)
    assert.equal(toHex(responder.writeMessage(fromHex(second!.payload))!), second!.ciphertext)
    assert.equal(toHex(initiator.readMessage(fromHex(second!.ciphertext))!), second!.payload)
    assert.equal(toHex(initiator.hash), vector.handshakeHash)
    assert.equal(toHex(responder.hash), vector.handshakeHash)
    const keys = initiator.split()
    assert.deepEqual(responder.split(), keys)
    transport.forEach(({ payload, ciphertext }, i) => {
      const plain = fromHex(payload)
      const sealed = new Uint8Array(plain.length + 16)
      const nonce = new Uint8Array(12)
      nonce[4] = Math.floor(i / 2)
      aeadSeal(sealed, plain, undefined, nonce, keys[i % 2]!)
      assert.equal(toHex(sealed), ciphertext)
    })
  })

  it('agrees on keys, hash and static key with the hybrid pattern', () => {
    const { initiator, responder, initiatorKeys } = pairOfHandshakes(1)
    const first = initiator.writeMessage(utf8('one'))!
    assert.equal(first.length, 32 + 1200 + 48 + 3 + 16)
    assert.deepEqual(responder.readMessage(first), utf8('one'))
    assert.deepEqual(responder.remoteStatic, initiatorKeys.publicKey)
    const second = responder.writeMessage(utf8('two'))!
    assert.equal(second.length, 32 + 1104 + 3 + 16)
    assert.deepEqual(initiator.readMessage(second), utf8('two'))
    assert.deepEqual(initiator.hash, responder.hash)
    assert.deepEqual(initiator.split(), responder.split())
  })

  it('refuses a message that was changed at any place or cut', () => {
    const { initiator } = pairOfHandshakes(2)
    const first = initiator.writeMessage(new Uint8Array(13))!
    fc.assert(
      fc.property(fc.nat(first.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, bits, cut) => {
        const { responder } = pairOfHandshakes(2)
        const changed = cut ? first.subarray(0, at) : first.slice()
        if (!cut) changed[at]! ^= bits
        assert.equal(responder.readMessage(changed), undefined)
      }),
      { numRuns: 300 },
    )
  })

  it('refuses a response that was changed', () => {
    fc.assert(
      fc.property(fc.nat(1150), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const { initiator, responder } = pairOfHandshakes(3)
        responder.readMessage(initiator.writeMessage(new Uint8Array(13))!)
        const second = responder.writeMessage(new Uint8Array(5))!
        second[at]! ^= bits
        assert.equal(initiator.readMessage(second), undefined)
      }),
      { numRuns: 50 },
    )
  })

  it('goes on after a false message: whoever can see a handshake cannot end it', () => {
    const { initiator, responder } = pairOfHandshakes(7)
    const first = initiator.writeMessage(new Uint8Array(13))!
    assert.equal(responder.readMessage(first.with(60, first[60]! ^ 1)), undefined)
    assert.ok(responder.readMessage(first))
    const second = responder.writeMessage(new Uint8Array(5))!
    for (const at of [0, 40, 1_130, 1_150])
      assert.equal(initiator.readMessage(second.with(at, second[at]! ^ 1)), undefined)
    assert.ok(initiator.readMessage(second))
    assert.deepEqual(initiator.split(), responder.split())
  })

  it('refuses another prologue', () => {
    const { initiator, responder } = pairOfHandshakes(4, ['one network', 'another'])
    assert.equal(responder.readMessage(initiator.writeMessage(new Uint8Array(13))!), undefined)
  })

  it('refuses an ephemeral key of low order', () => {
    const { responder } = pairOfHandshakes(5)
    assert.equal(responder.readMessage(new Uint8Array(1309)), undefined)
  })

  it('refuses an encapsulation key that fails FIPS 203', () => {
    const { responder, initiatorKeys } = pairOfHandshakes(6)
    const random = seededRandom(6)
    generateX25519(random)
    const responderKey = generateX25519(random).publicKey
    const initiator = new NoiseHandshake({
      pattern: IK_HFS,
      initiator: true,
      prologue: utf8('p'),
      keys: initiatorKeys,
      responderKey,
      random,
      kem: {
        generate: () => ({ publicKey: new Uint8Array(1184).fill(255), secretKey: undefined as never }),
        encapsulate: () => undefined,
        decapsulate: () => new Uint8Array(32),
      },
    })
    const first = initiator.writeMessage(new Uint8Array(13))!
    assert.deepEqual(responder.readMessage(first), new Uint8Array(13))
    assert.equal(responder.writeMessage(new Uint8Array(5)), undefined)
  })
})
