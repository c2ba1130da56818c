/**
 * Makes beacon.json from docs/specs/beacon.md alone: the group of another implementation (noble), big integers and
 * node:crypto, nothing of src/beacon or src/committee. What ought to be random is a hash of a label here.
 */
import { createHash, createPrivateKey, createPublicKey, hkdfSync, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { encode } from '@ipld/dag-cbor'
import { expand_message_xmd } from '@noble/curves/abstract/hash-to-curve.js'
import { ed25519 } from '@noble/curves/ed25519.js'

const Point = ed25519.Point
const B = Point.BASE
const L = Point.Fn.ORDER
type Element = typeof B

const NETWORK = `w${'abcdefghijklmnopqrstuvwxyz234567'}`
const EPOCH = 12
const SEATS = 4

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const hex = (bytes: Uint8Array): string => bytes.toHex()
const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(createHash('sha256').update(join(...parts)).digest())
const sha512 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha512').update(bytes).digest())
const cbor = (value: unknown): Uint8Array => new Uint8Array(encode(value))
const little = (bytes: Uint8Array): bigint => BigInt(`0x${hex(bytes.toReversed())}`)
const mod = (value: bigint): bigint => ((value % L) + L) % L
const scalarBytes = (value: bigint): Uint8Array =>
  Uint8Array.fromHex(mod(value).toString(16).padStart(64, '0')).reverse()
const drawn = (label: string): bigint => mod(little(sha512(text(label))))
const seatBytes = (seat: number): Uint8Array => Uint8Array.of(0, seat)
const sum = (points: readonly Element[]): Element => points.reduce((total, point) => total.add(point), Point.ZERO)

const hashFunction = Object.assign(sha512, { outputLen: 64, blockLen: 128 })
function hash(domain: string, parts: readonly Uint8Array[], count: number): readonly bigint[] {
  const like = hashFunction as unknown as Parameters<typeof expand_message_xmd>[3]
  const wide = new Uint8Array(expand_message_xmd(join(...parts), text(domain), count * 64, like))
  return Array.from({ length: count }, (_, at) => mod(little(wide.subarray(at * 64, at * 64 + 64))))
}

/** [challenge, response] */
function prove(
  domain: string,
  context: Uint8Array,
  bases: readonly Element[],
  x: bigint,
  nonce: bigint,
): readonly [Uint8Array, Uint8Array] {
  const lists = [bases, bases.map((base) => base.multiply(x)), bases.map((base) => base.multiply(nonce))]
  const [c] = hash(domain, [context, ...lists.flat().map((point) => point.toBytes())], 1) as [bigint]
  return [scalarBytes(c), scalarBytes(nonce - c * x)]
}

interface Seat {
  readonly seed: Uint8Array
  readonly nodeKey: Uint8Array
  readonly s: bigint
  readonly E: Element
  signature(body: Uint8Array): Uint8Array
}

const seats: readonly Seat[] = Array.from({ length: SEATS }, (_, at) => {
  const seed = sha256(text(`seat ${at}`))
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' })
  const s = mod(little(new Uint8Array(hkdfSync('sha256', seed, new Uint8Array(0), 'weft:beacon-key:v1', 64))))
  return {
    seed,
    nodeKey: new Uint8Array(spki.subarray(-32)),
    s,
    E: B.multiply(s),
    signature: (body) => new Uint8Array(sign(null, join(text('weft:beacon-dealing:v1\0'), body), secret)),
  }
})

function contextOf(list: readonly Seat[]): Uint8Array {
  const listed = cbor([NETWORK, EPOCH, list.map(({ nodeKey, E }) => [nodeKey, E.toBytes()])])
  return sha256(text('weft:beacon-roster:v1\0'), listed)
}

interface Dealt {
  readonly dealer: number
  readonly body: Uint8Array
  readonly P: Element
  readonly C: readonly Element[]
  readonly word: readonly bigint[]
}

function wordOf(N: number, m: readonly bigint[]): readonly bigint[] {
  return Array.from({ length: N }, (_, i) => {
    let binomial = 1n
    for (let k = 1; k <= i; k++) binomial = (binomial * BigInt(N - k)) / BigInt(k)
    const value = m.reduce((total, coefficient, j) => total + coefficient * BigInt(i + 1) ** BigInt(j), 0n)
    return mod((i % 2 === 0 ? 1n : -1n) * binomial * value)
  })
}

/** @param degree of the polynomial: q - 1 for a right dealing */
function dealAmong(list: readonly Seat[], dealer: number, degree: number): Dealt {
  const N = list.length
  const q = N - Math.floor((N - 1) / 3)
  const context = contextOf(list)
  const coefficients = Array.from({ length: degree + 1 }, (_, at) => drawn(`coefficient ${at} of ${dealer} of ${N}`))
  const p = (point: bigint): bigint => coefficients.reduceRight((value, next) => mod(value * point + next), 0n)
  const d = drawn(`dealing key of ${dealer} of ${N}`)
  const P = B.multiply(d)
  const C = list.map(({ E }, at) => B.multiply(p(BigInt(at + 1))).add(E.multiply(d)))
  const bound = join(context, seatBytes(dealer), P.toBytes(), ...C.map((share) => share.toBytes()))
  const m = N === q ? [] : hash('weft:beacon-word:v1', [bound], N - q)
  const word = wordOf(N, m)
  const U = N === q ? undefined : sum(list.map(({ E }, at) => E.multiply(word[at] as bigint)))
  const [c, r] = prove('weft:beacon-dealing:v1', bound, U === undefined ? [B] : [B, U], d, drawn(`nonce of ${dealer} of ${N}`))
  const body = cbor([1, context, dealer, P.toBytes(), C.map((share) => share.toBytes()), c, r])
  return { dealer, body, P, C, word }
}

function signed({ dealer, body }: Dealt) {
  return { dealer, body: hex(body), signature: hex((seats[dealer] as Seat).signature(body)), name: hex(sha256(body)) }
}

const dealings = [0, 1, 3].map((dealer) => dealAmong(seats, dealer, 2))
const genesis = sha256(text('weft:beacon-genesis:v1\0'), text(NETWORK))
const inputs = cbor([1, contextOf(seats), [-1, genesis], dealings.map(({ dealer, body }) => [dealer, sha256(body)])])
const inputsName = sha256(inputs)
const T = sum(dealings.map(({ P }) => P))
const opened = seats.map(({ s }, seat) => sum(dealings.map(({ C }) => C[seat] as Element)).subtract(T.multiply(s)))
const shares = seats.map(({ s }, seat) => {
  const context = join(inputsName, seatBytes(seat))
  const [c, r] = prove('weft:beacon-share:v1', context, [B, T], s, drawn(`nonce of share ${seat}`))
  return cbor([1, inputsName, seat, T.multiply(s).toBytes(), c, r])
})
// The points 1, 2 and 3 have the weights 3, -3 and 1 at zero.
const [first, second, third] = opened as [Element, Element, Element]
const S = first.subtract(second).multiply(3n).add(third)
const value = sha256(text('weft:beacon:v1\0'), inputsName, S.toBytes())

const people = Array.from({ length: 24 }, (_, at) => ({
  key: hex(sha256(text(`candidate ${at}`))),
  family: `family-${at % 8}`,
  diversityAddress: at % 4 === 0 ? `192.0.2.${at + 1}` : `198.51.${at}.1`,
}))
type Person = (typeof people)[number]
/** Of ten seats three may be down. */
const seated = people.slice(0, 10)
const candidates = people.slice(10).toSorted((a, b) => (a.key < b.key ? -1 : 1))
const FAULTS = 3

function inTurn<T>(use: string, items: readonly T[]): readonly T[] {
  const seed = join(text('weft:beacon-random:v1\0'), value, text(use))
  const stream = join(...Array.from({ length: 16 }, (_, block) => sha256(seed, Uint8Array.of(0, 0, 0, block))))
  const left = [...items]
  let at = 0
  for (let i = 0; i < left.length; i++) {
    const below = left.length - i
    let number: number
    do {
      number = Buffer.from(stream).readUInt32BE(at)
      at += 4
    } while (number >= 2 ** 32 - (2 ** 32 % below))
    const j = i + (number % below)
    const next = left[j] as T
    left[j] = left[i] as T
    left[i] = next
  }
  return left
}

function drawRotation(): { readonly leaving: readonly number[]; readonly entering: readonly string[] } {
  const leaving = inTurn(
    'rotation',
    seated.map((_, place) => place),
  ).slice(0, FAULTS)
  const taken: Person[] = seated.filter((_, place) => !leaving.includes(place))
  const entering: Person[] = []
  const prefix = (address: string): string => address.split('.').slice(0, 3).join('.')
  for (const next of inTurn('handover', candidates)) {
    const together = (same: (other: Person) => boolean): number => taken.filter(same).length
    if (together(({ family }) => family === next.family) >= 2) continue
    if (together(({ diversityAddress }) => prefix(diversityAddress) === prefix(next.diversityAddress)) >= 2) continue
    taken.push(next)
    if (entering.push(next) === FAULTS) break
  }
  return { leaving: leaving.toSorted((a, b) => a - b), entering: entering.map(({ key }) => key) }
}

const wrongDegree = dealAmong(seats, 2, 3)
const right = dealAmong(seats, 2, 2)
const keyOf = hex((seats[0] as Seat).nodeKey)
const file = {
  network: NETWORK,
  epoch: EPOCH,
  hash: {
    domain: 'weft:test-domain:v1',
    message: hex(text('message')),
    scalars: hash('weft:test-domain:v1', [text('message')], 3).map((scalar) => hex(scalarBytes(scalar))),
  },
  seats: seats.map(({ seed, nodeKey, s, E }, at) => {
    const context = join(text(NETWORK), nodeKey)
    const possession = prove('weft:beacon-possession:v1', context, [B], s, drawn(`nonce of possession ${at}`))
    return { seed: hex(seed), nodeKey: hex(nodeKey), beaconKey: hex(E.toBytes()), possession: hex(join(...possession)) }
  }),
  context: hex(contextOf(seats)),
  dealings: dealings.map(signed),
  word: dealings[0]?.word.map((weight) => hex(scalarBytes(weight))),
  wordOfTen: {
    coefficients: ['a', 'b', 'c'].map((label) => hex(scalarBytes(drawn(label)))),
    word: wordOf(10, ['a', 'b', 'c'].map(drawn)).map((weight) => hex(scalarBytes(weight))),
  },
  single: { context: hex(contextOf(seats.slice(0, 1))), ...signed(dealAmong(seats.slice(0, 1), 0, 0)) },
  refused: [
    { why: 'a polynomial of degree 3', ...signed(wrongDegree) },
    { why: 'signed by another seat', ...signed(right), signature: signed({ ...right, dealer: 1 }).signature },
    { why: 'for another roster', ...signed(dealAmong(seats.toReversed(), 2, 2)) },
  ],
  inputs: { bytes: hex(inputs), name: hex(inputsName) },
  shares: shares.map(hex),
  opened: opened.map((point) => hex(point.toBytes())),
  genesis: hex(genesis),
  value: hex(value),
  rotation: { seated, candidates, ...drawRotation() },
  position: { key: keyOf, position: hex(sha256(text('weft:position:v2\0'), (seats[0] as Seat).nodeKey, value)) },
}
writeFileSync(new URL('beacon.json', import.meta.url), `${JSON.stringify(file, null, 2)}\n`)
