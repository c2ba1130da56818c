/**
 * Makes circuit.json from docs/specs/packets.md alone: plain node:crypto and X25519, nothing of src/circuit. ML-KEM's
 * encapsulation cannot be repeated, so that the ciphertext of the file that is there is kept.
 */
import {
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  encapsulate,
  type KeyObject,
} from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { x25519, x25519PublicKey } from '../../src/sodium.ts'

const file = new URL('circuit.json', import.meta.url)
const fill = (byte: number, length = 32): Buffer => Buffer.alloc(length, byte)
const text = (value: string): Buffer => Buffer.from(value)
const long = (bytes: Uint8Array): Buffer => {
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(bytes.length))
  return Buffer.concat([length, bytes])
}
const sha3 = (tag: string, ...parts: Uint8Array[]): Buffer =>
  createHash('sha3-256').update(Buffer.concat([long(text(tag)), ...parts])).digest()
const shake = (length: number, tag: string, ...parts: Uint8Array[]): Buffer =>
  createHash('shake256', { outputLength: length }).update(Buffer.concat([long(text(tag)), ...parts])).digest()
const dh = (secret: Uint8Array, point: Uint8Array): Uint8Array => x25519(secret, point) ?? fill(0)

/** As the hop at depth 2; `told` is the client's message. */
function makeFirst(kemSecret: KeyObject, told: Buffer) {
  const P = 'weft:ntor3:mlkem768:v1'
  const networkId = 'weft-vectors'
  const [ID, b, x] = [2, 3, 4].map((byte) => fill(byte)) as [Buffer, Buffer, Buffer]
  const [B, X] = [b, x].map(x25519PublicKey) as [Uint8Array, Uint8Array]
  const ek = createPublicKey(kemSecret).export({ format: 'raw-public' })
  const depth = 2
  const VER = Buffer.concat([text('weft:circuit:v1\0'), text(networkId), Buffer.of(depth)])
  const Bx = dh(x, B)
  const phase1 = shake(64, `${P}:kdf_phase1`, Bx, ID, X, B, ek, text(P), long(VER))
  const sealed = createCipheriv('aes-256-ctr', phase1.subarray(0, 32), fill(0, 16)).update(told)
  const mac = sha3(`${P}:msg_mac`, long(phase1.subarray(32)), ID, B, X, ek, sealed)
  const message = Buffer.concat([ID, B.subarray(0, 8), X, ek, Buffer.of(told.length), sealed, mac])
  return { P, networkId, ID, b, x, B, X, ek, depth, VER, Bx, mac, message }
}

function makeHandshake(kemSecret: KeyObject, ciphertext: Buffer): Record<string, string | number> {
  const first = makeFirst(kemSecret, Buffer.of(1, 3))
  const { P, networkId, ID, b, x, B, X, ek, depth, VER, Bx, mac, message } = first
  const T = decapsulate(kemSecret, ciphertext)
  const y = fill(5)
  const Y = x25519PublicKey(y)
  const secret = Buffer.concat([T, dh(y, X), Bx, ID, B, X, Y, ek, ciphertext, text(P), long(VER)])
  const verify = sha3(`${P}:verify`, secret)
  const keys = shake(96, `${P}:kdf_final`, sha3(`${P}:key_seed`, secret))
  // Both suites are offered, and the hop takes AES-256-GCM.
  const reply = createCipheriv('aes-256-ctr', keys.subarray(0, 32), fill(0, 16)).update(Buffer.of(2))
  const AUTH = sha3(`${P}:auth_final`, verify, ID, B, Y, X, ciphertext, mac, long(reply), text(P), text('Server'))
  return {
    networkId,
    nodeId: ID.toString('hex'),
    depth,
    purpose: 1,
    offer: 3,
    suite: 2,
    b: b.toString('hex'),
    x: x.toString('hex'),
    y: y.toString('hex'),
    kemSeed: fill(6, 64).toString('hex'),
    kemCiphertext: ciphertext.toString('hex'),
    kemSharedKey: T.toString('hex'),
    firstMessage: message.toString('hex'),
    secondMessage: Buffer.concat([Y, ciphertext, AUTH, Buffer.of(1), reply]).toString('hex'),
    forward: keys.subarray(32, 64).toString('hex'),
    backward: keys.subarray(64).toString('hex'),
  }
}

/** Of each hop: ChaCha20-Poly1305, AES-256-GCM. */
const SUITES = [1, 2, 1] as const

/** counter 8 ‖ sealed content and kind ‖ tag 16 */
function unit(suite: number, key: Buffer, counter: number, content: Buffer, kind: number): Buffer {
  const head = Buffer.alloc(8)
  head.writeBigUInt64BE(BigInt(counter))
  const nonce = Buffer.concat([fill(0, 4), head])
  const cipher =
    suite === 2
      ? createCipheriv('aes-256-gcm', key, nonce)
      : createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
  const sealed = Buffer.concat([cipher.update(Buffer.concat([content, Buffer.of(kind)])), cipher.final()])
  return Buffer.concat([head, sealed, cipher.getAuthTag()])
}

function makeUnits(keys: Buffer[], counters: number[], payload: Buffer): string[] {
  const units: Buffer[] = [unit(SUITES[2], keys[2] as Buffer, counters[2] as number, payload, 2)]
  for (const depth of [1, 0] as const)
    units.unshift(unit(SUITES[depth], keys[depth] as Buffer, counters[depth] as number, units[0] as Buffer, 0))
  return units.map((bytes) => bytes.toString('hex'))
}

/** The message to a hop that others follow, and a unit under its early key that asks it for the next. */
function makeEarly(kemSecret: KeyObject): Record<string, string | number> {
  const earlyKey = fill(0x31)
  const next = makeFirst(kemSecret, Buffer.of(1, 3)).message
  const content = Buffer.alloc(1404 - 2 * 25 - 25)
  content[0] = 1
  content.writeUInt16BE(next.length, 1)
  next.copy(content, 3)
  const counter = 2 ** 52 + 2 ** 51 + 2 ** 31 + 5
  const time = 0xa1b2
  return {
    earlyKey: earlyKey.toString('hex'),
    time,
    firstMessage: makeFirst(kemSecret, Buffer.concat([Buffer.of(0, 3), earlyKey, Buffer.of(time >> 8, time & 255)])).message.toString('hex'),
    counter,
    extends: next.toString('hex'),
    unit: unit(1, earlyKey, counter, content, 1).toString('hex'),
  }
}

/** A question for counters and its answer, without the zeros behind them. */
function makeCounters(): Record<string, string | Record<string, number>> {
  const token = fill(0x41, 8)
  const counts = {
    opened: 70_001,
    passed: 69_990,
    droppedForward: 17,
    came: 2 ** 32 + 5,
    droppedBackward: 0x0102,
    sent: 2 ** 53 - 1,
  }
  const numbers = Object.values(counts).map((count) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(BigInt(count))
    return bytes
  })
  return {
    token: token.toString('hex'),
    counts,
    count: Buffer.concat([Buffer.of(7), token]).toString('hex'),
    counted: Buffer.concat([Buffer.of(8), token, ...numbers]).toString('hex'),
  }
}

/** Of tiers: what a client tells the hop at depth 1 and what that answers, as units, and padding of a hop and of a session's hop there. */
function makeTiers(): Record<string, string | number> {
  const [forwardKey, backwardKey] = [fill(0x41), fill(0x42)]
  const content = (...first: number[]): Buffer => {
    const bytes = Buffer.alloc(1404 - 25 - 25)
    bytes.set(first)
    return bytes
  }
  const [tellCounter, answerCounter, paddingCounter] = [900, 2 ** 30, 2 ** 30 + 4]
  const sessionPaddingCounter = 2 ** 52 + 17
  return {
    forwardKey: forwardKey.toString('hex'),
    backwardKey: backwardKey.toString('hex'),
    tellCounter,
    tell: unit(1, forwardKey, tellCounter, content(9, 2), 1).toString('hex'),
    answerCounter,
    answer: unit(1, backwardKey, answerCounter, content(10, 1), 1).toString('hex'),
    paddingCounter,
    padding: unit(1, backwardKey, paddingCounter, content(), 3).toString('hex'),
    sessionPaddingCounter,
    sessionPadding: unit(1, backwardKey, sessionPaddingCounter, content(), 3).toString('hex'),
  }
}

const kemSecret = createPrivateKey({ key: fill(6, 64), format: 'raw-seed', asymmetricKeyType: 'ml-kem-768' })
const before = existsSync(file)
  ? (JSON.parse(readFileSync(file, 'utf8')) as { handshake: { kemCiphertext: string } }).handshake.kemCiphertext
  : undefined
const ciphertext =
  before === undefined ? encapsulate(createPublicKey(kemSecret)).ciphertext : Buffer.from(before, 'hex')
const payload = Buffer.from(Array.from({ length: 1329 }, (_, i) => (i * 7) & 255))
const forwardKeys = [0x11, 0x12, 0x13].map((byte) => fill(byte))
const backwardKeys = [0x21, 0x22, 0x23].map((byte) => fill(byte))
const forwardCounters = [1000, 2 ** 31 + 3, 77]
const backwardCounters = [5, 2 ** 40, 2 ** 32]
const vector = {
  handshake: makeHandshake(kemSecret, ciphertext),
  early: makeEarly(kemSecret),
  counters: makeCounters(),
  tiers: makeTiers(),
  packets: {
    suites: SUITES,
    payload: payload.toString('hex'),
    forwardKeys: forwardKeys.map((key) => key.toString('hex')),
    forwardCounters,
    forwardUnits: makeUnits(forwardKeys, forwardCounters, payload),
    backwardKeys: backwardKeys.map((key) => key.toString('hex')),
    backwardCounters,
    backwardUnits: makeUnits(backwardKeys, backwardCounters, payload),
  },
}
writeFileSync(file, `${JSON.stringify(vector, null, 2)}\n`)
