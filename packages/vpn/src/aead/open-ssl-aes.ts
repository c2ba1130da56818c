import { equalBytes, fromHex } from '@weft/core'
import {
  type Aes256,
  type HeaderMask,
  MASK_BYTES,
  PACKET_SIZE,
  Packet,
  type PacketAead,
  SAMPLE_AT,
  type Span,
  keyWiped,
} from '@weft/onion'
import { type NativeAddress, nativeBytes } from '../udp/linux-socket-calls.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** openssl/evp.h */
const EVP_CTRL_AEAD_GET_TAG = 0x10
const EVP_CTRL_AEAD_SET_TAG = 0x11

/**
 * Functions of the OpenSSL that Node brings (EVP_EncryptInit(3)); those that give a number give 1 when it went well. All that they take are
 * numbers: what a typed array is and where it lies costs a call as much to find out as OpenSSL takes for a packet.
 */
interface Evp {
  readonly newContext: () => NativeAddress
  readonly freeContext: (context: NativeAddress) => void
  readonly init: (
    context: NativeAddress,
    cipher: NativeAddress,
    engine: NativeAddress,
    key: NativeAddress,
    nonce: NativeAddress,
    encrypts: number,
  ) => number
  readonly update: (
    context: NativeAddress,
    out: NativeAddress,
    length: NativeAddress,
    bytes: NativeAddress,
    count: number,
  ) => number
  readonly final: (context: NativeAddress, out: NativeAddress, length: NativeAddress) => number
  readonly control: (context: NativeAddress, command: number, count: number, bytes: NativeAddress) => number
  readonly setPadding: (context: NativeAddress, isPadded: number) => number
  readonly aes256Gcm: NativeAddress
  readonly aes256Ecb: NativeAddress
  /** Of memory off V8's heap. */
  readonly addressOf: (bytes: Uint8Array) => NativeAddress
}

/** The null pointer: no key, nonce, output or engine, and the cipher that the context has. */
const NONE = 0
/** Written by OpenSSL, and read by nobody: a length, and nothing at all. */
const UNREAD = nativeBytes(8 + MASK_BYTES)

/** Where a slot begins. Its memory does not move, as it is no small typed array of V8's heap. */
function placeOf(evp: Evp, packet: Packet): NativeAddress {
  if (packet.place === 0) packet.place = evp.addressOf(packet.bytes)
  return packet.place
}

/** A context with a key, which stands in it alone: OpenSSL overwrites it when it is freed. @throws RangeError, Error */
function newContext(evp: Evp, cipher: NativeAddress, key: Uint8Array): NativeAddress {
  checkLength('a key', key, KEY_BYTES)
  const context = evp.newContext()
  if (context === NONE) throw new Error('OpenSSL has no memory')
  const copy = nativeBytes(KEY_BYTES)
  copy.set(key)
  const result = evp.init(context, cipher, NONE, evp.addressOf(copy), NONE, 1)
  copy.fill(0)
  if (result !== 1) evp.freeContext(context)
  must(result)
  return context
}

/**
 * AES-256-GCM (NIST SP 800-38D) by the OpenSSL inside Node, called without the streams of node:crypto, which take ten times as long for
 * a packet. For one direction of one key.
 */
class OpenSslAes implements PacketAead {
  readonly nonce: DataView
  readonly #evp: Evp
  readonly #noncePlace: NativeAddress
  readonly #length: NativeAddress
  readonly #rest: NativeAddress
  /** Undefined when wiped. */
  #context: NativeAddress | undefined

  constructor(evp: Evp, key: Uint8Array) {
    const nonce = nativeBytes(NONCE_BYTES)
    this.nonce = new DataView(nonce.buffer)
    this.#evp = evp
    this.#noncePlace = evp.addressOf(nonce)
    this.#length = evp.addressOf(UNREAD)
    this.#rest = this.#length + 8
    this.#context = newContext(evp, evp.aes256Gcm, key)
  }

  seal(to: Packet, from: Packet, { plain, sealed, length, tail }: Span): void {
    const context = this.#context
    if (context === undefined) throw keyWiped()
    const evp = this.#evp
    const place = placeOf(evp, to)
    this.#begin(context, 1, place, tail)
    must(evp.update(context, place + sealed, this.#length, placeOf(evp, from) + plain, length))
    must(evp.final(context, this.#rest, this.#length))
    must(evp.control(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, place + sealed + length))
  }

  open(to: Packet, from: Packet, span: Span): boolean {
    const context = this.#context
    if (context === undefined) return false
    const { plain, sealed, length, tail } = span
    const evp = this.#evp
    const place = placeOf(evp, from)
    this.#begin(context, 0, place, tail)
    must(evp.update(context, placeOf(evp, to) + plain, this.#length, place + sealed, length))
    must(evp.control(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, place + sealed + length))
    if (evp.final(context, this.#rest, this.#length) === 1) return true
    to.bytes.fill(0, plain, plain + length)
    return false
  }

  wipe(): void {
    if (this.#context === undefined) return
    this.#evp.freeContext(this.#context)
    this.#context = undefined
  }

  /** @param place of the slot whose last bytes, `tail` of them, are associated data */
  #begin(context: NativeAddress, encrypts: number, place: NativeAddress, tail: number): void {
    const { init, update } = this.#evp
    must(init(context, NONE, NONE, NONE, this.#noncePlace, encrypts))
    if (tail > 0) must(update(context, NONE, this.#length, place + PACKET_SIZE - tail, tail))
  }
}

/** Of all keys, as each is read before the next is made. */
const MASK = nativeBytes(MASK_BYTES)
const MASK_VIEW = new DataView(MASK.buffer)

/** One block of AES-256 for each sample. */
class OpenSslMask implements HeaderMask {
  readonly #evp: Evp
  readonly #length: NativeAddress
  readonly #mask: NativeAddress
  #context: NativeAddress | undefined

  constructor(evp: Evp, key: Uint8Array) {
    this.#evp = evp
    this.#length = evp.addressOf(UNREAD)
    this.#mask = evp.addressOf(MASK)
    this.#context = newContext(evp, evp.aes256Ecb, key)
    must(evp.setPadding(this.#context, 0))
  }

  of(packet: Packet): DataView {
    const evp = this.#evp
    // What is opened with another mask than the sender's is not authentic.
    if (this.#context === undefined) MASK.fill(0)
    else must(evp.update(this.#context, this.#mask, this.#length, placeOf(evp, packet) + SAMPLE_AT, MASK_BYTES))
    return MASK_VIEW
  }

  wipe(): void {
    if (this.#context === undefined) return
    this.#evp.freeContext(this.#context)
    this.#context = undefined
  }
}

/**
 * AES-256 of Node's own OpenSSL, tried with vectors.
 * @throws Error where its functions are not there, or compute something else
 */
export async function loadOpenSslAes(): Promise<Aes256> {
  const { default: koffi } = await import('koffi')
  // Another libcrypto than Node's own must not come into its process.
  const node = koffi.load(null)
  const pointer = 'uintptr_t'
  const cipher = (name: string) => (node.func(name, pointer, []) as () => NativeAddress)()
  const evp: Evp = {
    newContext: node.func('EVP_CIPHER_CTX_new', pointer, []) as Evp['newContext'],
    freeContext: node.func('EVP_CIPHER_CTX_free', 'void', [pointer]) as Evp['freeContext'],
    init: node.func('EVP_CipherInit_ex', 'int', [pointer, pointer, pointer, pointer, pointer, 'int']) as Evp['init'],
    update: node.func('EVP_CipherUpdate', 'int', [pointer, pointer, pointer, pointer, 'int']) as Evp['update'],
    final: node.func('EVP_CipherFinal_ex', 'int', [pointer, pointer, pointer]) as Evp['final'],
    control: node.func('EVP_CIPHER_CTX_ctrl', 'int', [pointer, 'int', 'int', pointer]) as Evp['control'],
    setPadding: node.func('EVP_CIPHER_CTX_set_padding', 'int', [pointer, 'int']) as Evp['setPadding'],
    aes256Gcm: cipher('EVP_aes_256_gcm'),
    aes256Ecb: cipher('EVP_aes_256_ecb'),
    addressOf: (bytes) => Number(koffi.address(bytes)),
  }
  const aes: Aes256 = { gcm: (key) => new OpenSslAes(evp, key), mask: (key) => new OpenSslMask(evp, key) }
  requireGcmVector(aes)
  requireMaskVector(aes)
  return aes
}

/** Test case 16 of the specification of GCM (McGrew and Viega, 2005, appendix B). @throws Error */
function requireGcmVector({ gcm }: Aes256): void {
  const span: Span = { id: 0, plain: 0, sealed: 0, length: 60, tail: 20 }
  const plain = fromHex(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  )
  const sealed = fromHex(
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b',
  )
  const packet = new Packet()
  packet.bytes.set(plain)
  packet.bytes.set(fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2'), PACKET_SIZE - span.tail)
  const aead = gcm(fromHex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'))
  try {
    for (const [at, byte] of fromHex('cafebabefacedbaddecaf888').entries()) aead.nonce.setUint8(at, byte)
    aead.seal(packet, packet, span)
    const isSealed = equalBytes(packet.bytes.subarray(0, sealed.length), sealed)
    const isOpened = aead.open(packet, packet, span) && equalBytes(packet.bytes.subarray(0, plain.length), plain)
    // What lies there now was never sealed.
    if (!isSealed || !isOpened || aead.open(packet, packet, span))
      throw new Error('AES-256-GCM of OpenSSL fails its vector')
  } finally {
    aead.wipe()
  }
}

/** FIPS 197, appendix C.3. @throws Error */
function requireMaskVector({ mask }: Aes256): void {
  const header = mask(fromHex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'))
  try {
    const packet = new Packet()
    packet.bytes.set(fromHex('00112233445566778899aabbccddeeff'), SAMPLE_AT)
    const { buffer } = header.of(packet)
    if (!equalBytes(new Uint8Array(buffer), fromHex('8ea2b7ca516745bfeafc49904b496089')))
      throw new Error('AES-256 of OpenSSL fails its vector')
  } finally {
    header.wipe()
  }
}

function must(result: number): void {
  if (result !== 1) throw new Error('a call of OpenSSL failed')
}

function checkLength(what: string, bytes: Uint8Array, expected: number): void {
  if (bytes.length !== expected) throw new RangeError(`${what} has ${bytes.length} bytes, expected ${expected}`)
}
