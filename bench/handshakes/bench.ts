import { seededRandom, systemClock, systemRandom } from '@weft/core'
import { Aead, type Endpoint, LinkSet, Packet, generateX25519 } from '@weft/onion'
import { answerHandshake } from '../../packages/onion/src/circuit/server-handshake.ts'
import { ClientHandshake } from '../../packages/onion/src/circuit/client-handshake.ts'
import { CircuitPurpose } from '../../packages/onion/src/circuit/purpose.ts'
import { SeenClientKeys } from '../../packages/onion/src/circuit/seen-client-keys.ts'
import { CHACHA_ONLY } from '../../packages/onion/src/packet/suite.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { measureInTurn } from '../lib/measure-in-turn.ts'
import { summarise } from '../lib/summarise.ts'

// What handshakes cost the one that answers them, without a network: bytes in, bytes out, on one thread.

const NETWORK = 'bench'
/** Of each a sample. */
const LINKS = 300
const CIRCUITS = 600
const FLOOD = 20_000
const UNIT = 1_380

const endpoint = (i: number): Endpoint => ({
  address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
  port: 1 + (i % 60_000),
})

const bench: Bench = async () => {
  const figures = await measureInTurn<string, number>({
    links: () => Promise.resolve(linkHandshakes()),
    circuits: () => Promise.resolve(circuitHandshakes()),
    spoofed: () => Promise.resolve(floodUnderLoad()),
    noise: () => Promise.resolve(noise()),
    machine: () => Promise.resolve(sealing()),
  })
  const row = (name: string, what: string, unit: string, more: Partial<BenchRow> = {}): BenchRow => ({
    what,
    unit,
    ...summarise(figures[name] ?? []),
    ...more,
  })
  return {
    name: 'handshakes',
    rows: [
      row('links', 'link handshakes answered, one core', '/s', { goal: 1_500, better: 'higher' }),
      row('circuits', 'circuit handshakes answered, one core', '/s', { goal: 1_500, better: 'higher' }),
      row('spoofed', 'one spoofed initiation under load, answered by a cookie', 'µs', { goal: 20 }),
      row('noise', 'one datagram of random bytes', 'µs'),
      row('machine', `the machine meanwhile: ChaCha20-Poly1305 of ${UNIT} B, one thread`, 'µs'),
    ],
    notes: [
      'The side that answers, on one thread, without sockets: a datagram in, the answer out. X25519 by libsodium, ML-KEM-768 by OpenSSL.',
      'Link: from the initiation in its queue to the response, with four X25519, a key pair, an encapsulation and the keys of the link. Circuit: from `create` to `created` and the keys of its layer.',
      'The goal of a spoofed initiation is that of 50,000 a second on one core; sending the reply comes on top.',
    ],
  }
}

/** A second's worth of link handshakes, by the time that {@link LINKS} take. */
function linkHandshakes(): number {
  const server = listening({
    handshakes: LINKS + 1,
    linksPerPrefix: LINKS,
    loadedFrom: LINKS + 1,
    initiationsPerTurn: LINKS,
    waitingHandshakes: 2 * LINKS,
  })
  const initiations = initiate(server.key, LINKS)
  const packet = new Packet()
  for (const [i, bytes] of initiations.entries()) {
    packet.copyFrom(bytes)
    server.links.receive(packet, endpoint(i))
  }
  const before = performance.now()
  while (server.links.work());
  const ms = performance.now() - before
  const made = server.links.size
  server.links.close()
  if (made !== LINKS) throw new Error(`${made} links of ${LINKS} handshakes`)
  return (LINKS * 1_000) / ms
}

/** µs of one initiation from each of many addresses, once cookies are asked for. */
function floodUnderLoad(): number {
  const server = listening({ loadedFrom: 0, initiationsPerTurn: FLOOD, cookieRepliesPerTurn: FLOOD })
  const initiations = initiate(server.key, 64)
  const packet = new Packet()
  const sources = Array.from({ length: 4_096 }, (_, i) => endpoint(i))
  const before = performance.now()
  for (let i = 0; i < FLOOD; i++) {
    packet.copyFrom(initiations[i % 64] as Uint8Array)
    server.links.receive(packet, sources[i % 4_096] as Endpoint)
  }
  const ms = performance.now() - before
  if (server.links.counters.cookieReplies !== FLOOD) throw new Error('not every one was answered by a cookie')
  server.links.close()
  return (ms * 1_000) / FLOOD
}

/** µs of a datagram that is no packet of anybody's. */
function noise(): number {
  const server = listening({ initiationsPerTurn: FLOOD })
  const random = seededRandom(1)
  const datagrams = Array.from({ length: 64 }, () => random.bytes(1440))
  const packet = new Packet()
  const before = performance.now()
  for (let i = 0; i < FLOOD; i++) {
    packet.copyFrom(datagrams[i % 64] as Uint8Array)
    server.links.receive(packet, endpoint(1))
  }
  const ms = performance.now() - before
  server.links.close()
  return (ms * 1_000) / FLOOD
}

function circuitHandshakes(): number {
  const onion = generateX25519(systemRandom)
  const nodeId = systemRandom.bytes(32)
  const common = { networkId: NETWORK, nodeId, depth: 0, suites: CHACHA_ONLY, random: systemRandom }
  const messages = Array.from({ length: CIRCUITS }, () => {
    const handshake = ClientHandshake.start({ ...common, onionKey: onion.publicKey, purpose: CircuitPurpose.hop })
    if (handshake === undefined) throw new Error('no handshake was begun')
    handshake.wipe()
    return handshake.message
  })
  const seen = new SeenClientKeys(CIRCUITS)
  const before = performance.now()
  for (const message of messages)
    if (typeof answerHandshake(message, { ...common, onionKeys: [onion], seen }) === 'number')
      throw new Error('a handshake was refused')
  return (CIRCUITS * 1_000) / (performance.now() - before)
}

function sealing(): number {
  const aead = new Aead(systemRandom.bytes(32))
  const [sealed, nonce] = [new Uint8Array(UNIT + 16), new Uint8Array(12)]
  const plain = sealed.subarray(0, UNIT)
  const before = performance.now()
  for (let i = 0; i < FLOOD; i++) aead.seal(sealed, plain, undefined, nonce)
  return ((performance.now() - before) * 1_000) / FLOOD
}

function listening(limits: object): { readonly links: LinkSet; readonly key: Uint8Array } {
  const keys = generateX25519(systemRandom)
  return { links: linkSet(keys, limits, () => {}), key: keys.publicKey }
}

/** As many initiations, each of a client of its own. */
function initiate(responderKey: Uint8Array, count: number): Uint8Array[] {
  const made: Uint8Array[] = []
  const clients = linkSet(undefined, {}, (bytes) => made.push(bytes.slice()))
  for (let i = 0; i < count; i++) clients.connect(endpoint(i), responderKey, true)
  clients.close()
  return made
}

function linkSet(
  keys: ReturnType<typeof generateX25519> | undefined,
  limits: object,
  send: (bytes: Uint8Array) => void,
): LinkSet {
  return new LinkSet({
    networkId: NETWORK,
    clock: systemClock,
    random: systemRandom,
    ...(keys === undefined ? {} : { keys }),
    listen: keys !== undefined,
    limits,
    send,
    onCell: () => {},
    onMessage: () => {},
    onLink: () => {},
  })
}

export default bench
