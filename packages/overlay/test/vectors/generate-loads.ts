// Writes loads.json from docs/specs/load.md word by word, with nothing of packages/overlay/src: `bin/node packages/overlay/test/vectors/generate-loads.ts`.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode } from '@ipld/dag-cbor'

const NETWORK = 'wloadvectors'
const AT = 1_800_000_004_000
const SLOT = Math.floor(AT / 10_000)

const keys = [1, 2].map((fill) => {
  const seed = Buffer.alloc(32, fill)
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return { seed, secret, public: createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32) }
})

function statement(key: (typeof keys)[number], slot: number, step: number): Buffer {
  const signed = Buffer.concat([Buffer.from('weft:load:v1\0'), encode([1, NETWORK, slot, step])])
  const numbers = Buffer.alloc(5)
  numbers.writeUInt32BE(slot)
  numbers[4] = step
  return Buffer.concat([key.public.subarray(0, 8), numbers, sign(null, signed, key.secret)])
}

/** The time of the slot at which a node looks, and its first look: not in the slot that it has at AT. */
function firstLook(key: Buffer): number {
  const phase = key.readUInt32BE(0) % 10_000
  return (Math.floor((AT - phase) / 10_000) + 1) * 10_000 + phase
}

/** A field of a protobuf message: bytes, or a number below 128. */
const bytesField = (number: number, bytes: Uint8Array): Buffer => {
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), bytes])
}
const numberField = (number: number, value: number): Buffer => Buffer.from([number * 8, value])

const said = keys.map((key, index) => statement(key, SLOT + index, index * 4))
const statements = Buffer.concat(said)
const book = Buffer.from([0, 1, 2, 3, 4, 5, 6, 7])
const vectors = {
  network: NETWORK,
  seeds: keys.map(({ seed }) => seed.toString('hex')),
  at: AT,
  slot: SLOT,
  statements: said.map((each) => each.toString('hex')),
  firstLook: keys.map((key) => firstLook(key.public)),
  times: [1, 75, 76, 250, 2_500].map((carriers) => {
    const refreshMs = Math.max(30_000, carriers * 400)
    return { carriers, refreshMs, lifeMs: refreshMs + 30_000 }
  }),
  messages: {
    tell: bytesField(1, statements).toString('hex'),
    ask: Buffer.concat([bytesField(1, book), numberField(2, 7)]).toString('hex'),
    list: Buffer.concat([bytesField(1, book), numberField(2, 9), bytesField(3, statements), numberField(4, 1)]).toString('hex'),
  },
}
writeFileSync(join(import.meta.dirname, 'loads.json'), `${JSON.stringify(vectors, undefined, 2)}\n`)
