import { equalBytes, fromHex } from '@weft/core'
import { type PacketAead, keyWiped } from '@weft/onion'
import { nativeBytes } from '../udp/linux-socket-calls.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** openssl/evp.h */
const EVP_CTRL_AEAD_GET_TAG = 0x10
const EVP_CTRL_AEAD_SET_TAG = 0x11

/** The address of a context or cipher of OpenSSL; a number, as an object would cost each call a look at what it is. */
type Pointer = number

/** Functions of the OpenSSL that Node brings (EVP_EncryptInit(3)); those that give a number give 1 when it went well. */
interface Evp {
  readonly newContext: () => Pointer
  readonly freeContext: (context: Pointer) => void
  readonly init: (
    context: Pointer,
    cipher: Pointer,
    engine: null,
    key: Uint8Array | null,
    nonce: Uint8Array | null,
    encrypts: number,
  ) => number
  readonly update: (
    context: Pointer,
    out: Uint8Array | null,
    length: Uint8Array,
    bytes: Uint8Array,
    count: number,
  ) => number
  readonly final: (context: Pointer, out: Uint8Array, length: Uint8Array) => number
  readonly control: (context: Pointer, command: number, count: number, bytes: Uint8Array) => number
  readonly aes256Gcm: Pointer
}

/** No cipher: that of the context stays. */
const SAME = 0
/** Written by OpenSSL, and read by nobody. */
const LENGTH = nativeBytes(8)
const REST = nativeBytes(TAG_BYTES)
const TAG = nativeBytes(TAG_BYTES)

/**
 * AES-256-GCM (NIST SP 800-38D) by the OpenSSL inside Node, called without the streams of node:crypto, which take ten times as long for
 * a packet. For one direction of one key.
 */
class OpenSslAes implements PacketAead {
  readonly #evp: Evp
  /** Undefined when wiped. */
  #context: Pointer | undefined

  constructor(evp: Evp, key: Uint8Array) {
    checkLength('a key', key, KEY_BYTES)
    this.#evp = evp
    const context = evp.newContext()
    if (context === 0) throw new Error('OpenSSL has no memory')
    this.#context = context
    // The key stands in the context alone, which OpenSSL overwrites when it is freed.
    must(evp.init(context, evp.aes256Gcm, null, key, null, 1))
  }

  seal(sealed: Uint8Array, plain: Uint8Array, additional: Uint8Array | undefined, nonce: Uint8Array): void {
    const context = this.#context
    if (context === undefined) throw keyWiped()
    const { length } = plain
    checkLength('what is sealed', sealed, length + TAG_BYTES)
    this.#begin(context, nonce, additional, true)
    const { update, final, control } = this.#evp
    must(update(context, sealed, LENGTH, plain, length))
    must(final(context, REST, LENGTH))
    must(control(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, TAG))
    // A loop: `set` at the end would do as well, `subarray` would make a view for each packet.
    for (let at = 0; at < TAG_BYTES; at++) sealed[length + at] = TAG[at] as number
  }

  open(plain: Uint8Array, sealed: Uint8Array, additional: Uint8Array | undefined, nonce: Uint8Array): boolean {
    const context = this.#context
    const { length } = plain
    checkLength('what is sealed', sealed, length + TAG_BYTES)
    if (context === undefined) return false
    for (let at = 0; at < TAG_BYTES; at++) TAG[at] = sealed[length + at] as number
    this.#begin(context, nonce, additional, false)
    const { update, final, control } = this.#evp
    must(update(context, plain, LENGTH, sealed, length))
    must(control(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, TAG))
    if (final(context, REST, LENGTH) === 1) return true
    plain.fill(0)
    return false
  }

  wipe(): void {
    if (this.#context === undefined) return
    this.#evp.freeContext(this.#context)
    this.#context = undefined
  }

  #begin(context: Pointer, nonce: Uint8Array, additional: Uint8Array | undefined, encrypts: boolean): void {
    checkLength('a nonce', nonce, NONCE_BYTES)
    const { init, update } = this.#evp
    must(init(context, SAME, null, null, nonce, encrypts ? 1 : 0))
    if (additional !== undefined) must(update(context, null, LENGTH, additional, additional.length))
  }
}

/**
 * AES-256-GCM of Node's own OpenSSL, tried with a vector.
 * @throws Error where its functions are not there, or compute something else
 */
export async function loadOpenSslAes(): Promise<(key: Uint8Array) => PacketAead> {
  const { default: koffi } = await import('koffi')
  // Another libcrypto than Node's own must not come into its process.
  const node = koffi.load(null)
  const evp: Evp = {
    newContext: node.func('EVP_CIPHER_CTX_new', 'uintptr_t', []) as Evp['newContext'],
    freeContext: node.func('EVP_CIPHER_CTX_free', 'void', ['uintptr_t']) as Evp['freeContext'],
    init: node.func('EVP_CipherInit_ex', 'int', [
      'void *',
      'void *',
      'void *',
      'void *',
      'void *',
      'int',
    ]) as Evp['init'],
    update: node.func('EVP_CipherUpdate', 'int', ['uintptr_t', 'void *', 'void *', 'void *', 'int']) as Evp['update'],
    final: node.func('EVP_CipherFinal_ex', 'int', ['uintptr_t', 'void *', 'void *']) as Evp['final'],
    control: node.func('EVP_CIPHER_CTX_ctrl', 'int', ['uintptr_t', 'int', 'int', 'void *']) as Evp['control'],
    aes256Gcm: (node.func('EVP_aes_256_gcm', 'uintptr_t', []) as () => Pointer)(),
  }
  const aes256Gcm = (key: Uint8Array): PacketAead => new OpenSslAes(evp, key)
  requireVector(aes256Gcm)
  return aes256Gcm
}

/** Test case 16 of the specification of GCM (McGrew and Viega, 2005, appendix B). @throws Error */
function requireVector(aes256Gcm: (key: Uint8Array) => PacketAead): void {
  const key = fromHex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308')
  const nonce = fromHex('cafebabefacedbaddecaf888')
  const additional = fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2')
  const plain = fromHex(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  )
  const sealed = fromHex(
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b',
  )
  const aead = aes256Gcm(key)
  try {
    const [made, opened] = [new Uint8Array(sealed.length), new Uint8Array(plain.length)]
    aead.seal(made, plain, additional, nonce)
    const isRight =
      equalBytes(made, sealed) && aead.open(opened, sealed, additional, nonce) && equalBytes(opened, plain)
    sealed[0] = 0
    if (!isRight || aead.open(opened, sealed, additional, nonce))
      throw new Error('AES-256-GCM of OpenSSL fails its vector')
  } finally {
    aead.wipe()
  }
}

function must(result: number): void {
  if (result !== 1) throw new Error('a call of OpenSSL failed')
}

function checkLength(what: string, bytes: Uint8Array, expected: number): void {
  if (bytes.length !== expected) throw new RangeError(`${what} has ${bytes.length} bytes, expected ${expected}`)
}
