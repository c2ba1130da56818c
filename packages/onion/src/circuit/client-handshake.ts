import { type Random } from '@weft/core'
import { equalConstantTime, type X25519KeyPair } from '@weft/crypto'
import { type Suites, offerOf, readSuite } from '../packet/suite.ts'
import { wipe, x25519 } from '../sodium.ts'
import { generateX25519 } from '../x25519.ts'
import { type CircuitKeys } from './circuit-keys.ts'
import { EARLY_REFUSED, type EarlyOffer, writeClientMessage } from './client-message.ts'
import { decodeSecondMessage, encodeFirstMessage, KEY_ID_BYTES } from './handshake-message.ts'
import { generateKemKeyPair, kemDecapsulate, type KemKeyPair } from '../ml-kem.ts'
import { authenticator, finalKeys, firstKeys, firstMac, type Ntor3First, secondKeys } from './ntor3.ts'
import { encryptOnce } from './ntor3-functions.ts'
import { PROTOCOL_ID } from './protocol-id.ts'
import { type CircuitPurpose } from './purpose.ts'
import { circuitVerification } from './verification.ts'

export interface ClientHandshakeOptions {
  readonly networkId: string
  /** Of the hop, from the signed map: its Ed25519 node key and its X25519 onion key. */
  readonly nodeId: Uint8Array
  readonly onionKey: Uint8Array
  /** Position in the circuit, 0 at the entry. */
  readonly depth: number
  readonly purpose: CircuitPurpose
  readonly suites: Suites
  /** What the hop is told for units that it may get before its answer came; nothing when left out. */
  readonly early?: EarlyOffer
  readonly random: Random
  /** Fixed ephemeral keys, for test vectors; fresh ones when left out. */
  readonly ephemeral?: { readonly x25519: X25519KeyPair; readonly kem: KemKeyPair }
}

/**
 * The client's side of one hop's hybrid ntor-v3 handshake (Tor specification, "ntor-v3"; docs/specs/packets.md, Circuit).
 * Holds secrets until `finish` took an answer or `wipe` was called.
 */
export class ClientHandshake {
  /** The first message; send it again as it is when no answer came. */
  readonly message: Uint8Array
  readonly #suites: Suites
  readonly #offersEarly: boolean
  #earlyRefused = false
  readonly #first: Ntor3First
  readonly #onionSecret: Uint8Array
  readonly #mac: Uint8Array
  readonly #secretKey: Uint8Array
  #kem: KemKeyPair | undefined

  private constructor(init: {
    message: Uint8Array
    suites: Suites
    offersEarly: boolean
    first: Ntor3First
    onionSecret: Uint8Array
    mac: Uint8Array
    secretKey: Uint8Array
    kem: KemKeyPair
  }) {
    this.message = init.message
    this.#suites = init.suites
    this.#offersEarly = init.offersEarly
    this.#first = init.first
    this.#onionSecret = init.onionSecret
    this.#mac = init.mac
    this.#secretKey = init.secretKey
    this.#kem = init.kem
  }

  /** Undefined when the hop's onion key is not a usable X25519 key (RFC 7748, section 6.1). */
  static start(options: ClientHandshakeOptions): ClientHandshake | undefined {
    const { suites } = options
    const own = options.ephemeral?.x25519 ?? generateX25519(options.random)
    const onionSecret = x25519(own.secretKey, options.onionKey)
    if (onionSecret === undefined) {
      wipe(own.secretKey)
      return undefined
    }
    const kem = options.ephemeral?.kem ?? generateKemKeyPair()
    const first: Ntor3First = {
      protocolId: PROTOCOL_ID,
      nodeId: options.nodeId,
      onionKey: options.onionKey,
      clientKey: own.publicKey,
      kemKey: kem.publicKey,
      verification: circuitVerification(options.networkId, options.depth),
    }
    const { encryptionKey, macKey } = firstKeys(onionSecret, first)
    const told = writeClientMessage({ purpose: options.purpose, offer: offerOf(suites), early: options.early })
    const encrypted = encryptOnce(encryptionKey, told)
    const mac = firstMac(macKey, first, encrypted)
    wipe(encryptionKey, macKey, told)
    const message = encodeFirstMessage({
      nodeId: first.nodeId,
      keyId: first.onionKey.subarray(0, KEY_ID_BYTES),
      clientKey: first.clientKey,
      kemKey: first.kemKey,
      encrypted,
      mac,
    })
    const offersEarly = options.early !== undefined
    return new ClientHandshake({ message, suites, offersEarly, first, onionSecret, mac, secretKey: own.secretKey, kem })
  }

  /** The hop answered, and does not take the early key. */
  get earlyRefused(): boolean {
    return this.#earlyRefused
  }

  /** The keys, once; undefined when the answer is not from the hop or was changed. A refused answer leaves the handshake open for the true one. */
  finish(answer: Uint8Array): CircuitKeys | undefined {
    const reply = decodeSecondMessage(answer)
    if (reply === undefined || this.#kem === undefined) return undefined
    const ephemeral = x25519(this.#secretKey, reply.serverKey)
    if (ephemeral === undefined) return undefined
    const kem = kemDecapsulate(this.#kem.secretKey, reply.kemCiphertext)
    const second = { ...this.#first, serverKey: reply.serverKey, kemCiphertext: reply.kemCiphertext }
    const { keySeed, verifyKey } = secondKeys({ kem, ephemeral, onion: this.#onionSecret }, second)
    const auth = authenticator(verifyKey, second, this.#mac, reply.encrypted)
    wipe(ephemeral, kem, verifyKey)
    if (!equalConstantTime(auth, reply.auth)) {
      wipe(keySeed, auth)
      return undefined
    }
    const [messageKey, forward, backward] = finalKeys(keySeed, PROTOCOL_ID, 3) as [Uint8Array, Uint8Array, Uint8Array]
    const message = encryptOnce(messageKey, reply.encrypted)
    wipe(keySeed, messageKey)
    // Whatever else the hop says would need words that this client does not know.
    const said = message.length === 1 ? (message[0] as number) : 0
    this.#earlyRefused = this.#offersEarly && (said & EARLY_REFUSED) !== 0
    const suite = readSuite(this.#earlyRefused ? said - EARLY_REFUSED : said, this.#suites)
    if (suite === undefined) {
      wipe(forward, backward)
      return undefined
    }
    this.wipe()
    return { suite, forward, backward }
  }

  /** Forgets the secrets; `finish` takes nothing any more. */
  wipe(): void {
    wipe(this.#secretKey, this.#onionSecret, this.#mac)
    this.#kem = undefined
  }
}
