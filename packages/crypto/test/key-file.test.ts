import assert from 'node:assert/strict'
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, it } from 'node:test'
import {
  HALF_WRITTEN,
  eraseSecret,
  loadKey,
  loadOrCreateKey,
  loadOrCreateX25519Key,
  moveSecret,
  readSecret,
  writeSecret,
  x25519KeyPair,
} from '../src/index.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'weft-key-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

it('makes the key once, for its owner only, and finds it again', () => {
  const path = join(directory, 'deep', 'node.key')
  const made = loadOrCreateKey(path)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(readFileSync(path).length, 32)
  const found = loadOrCreateKey(path)
  assert.equal(found.id, made.id)
  // The secret survives the wiping of the buffer that it was read into.
  assert.deepEqual(found.seed(), made.seed())
  assert.deepEqual(found.seed(), new Uint8Array(readFileSync(path)))
  assert.deepEqual(readdirSync(join(directory, 'deep')), ['node.key'])
})

it('reads a key without making one', () => {
  const path = join(directory, 'node.key')
  assert.equal(loadKey(path), undefined)
  assert.deepEqual(readdirSync(directory), [])
  const { id } = loadOrCreateKey(path)
  assert.equal(loadKey(path)?.id, id)
  chmodSync(path, 0o644)
  assert.throws(() => loadKey(path), { code: 'E_KEY_FILE' })
})

it('takes a given seed for a new key, never over an old one', () => {
  const path = join(directory, 'node.key')
  const first = loadOrCreateKey(path, new Uint8Array(32).fill(1))
  assert.equal(loadOrCreateKey(path, new Uint8Array(32).fill(2)).id, first.id)
})

it('refuses a key that others may read, that is cut short, or that cannot be written', () => {
  const path = join(directory, 'node.key')
  loadOrCreateKey(path)
  chmodSync(path, 0o644)
  assert.throws(() => loadOrCreateKey(path), { code: 'E_KEY_FILE', fix: /chmod 600/ })
  const short = join(directory, 'short.key')
  writeFileSync(short, 'abc', { mode: 0o600 })
  assert.throws(() => loadOrCreateKey(short), { code: 'E_KEY_FILE' })
  assert.throws(() => loadOrCreateKey(join(short, 'under-a-file')), { code: 'E_KEY_FILE' })
})

it('ends with an error where no directory can be made', () => {
  assert.throws(() => loadOrCreateKey('/proc/weft/keys/node.key'), { code: 'E_KEY_FILE' })
})

it('keeps an X25519 key in the same way', () => {
  const path = join(directory, 'link.key')
  const made = loadOrCreateX25519Key(path)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(new Uint8Array(readFileSync(path)), made.secretKey)
  assert.deepEqual(loadOrCreateX25519Key(path, new Uint8Array(32).fill(2)), made)
  const given = new Uint8Array(32).fill(1)
  const other = loadOrCreateX25519Key(join(directory, 'onion.key'), given)
  assert.deepEqual(other, x25519KeyPair(new Uint8Array(32).fill(1)))
  other.secretKey.fill(0)
  assert.equal(given[0], 1, 'the pair has a copy of its own')
  chmodSync(path, 0o640)
  assert.throws(() => loadOrCreateX25519Key(path), { code: 'E_KEY_FILE', fix: /chmod 600/ })
})

it('writes a secret, moves it and erases it', () => {
  const [path, other] = [join(directory, 'deep', 'one.key'), join(directory, 'deep', 'other.key')]
  const secret = new Uint8Array(32).fill(3)
  assert.equal(readSecret(path), undefined)
  writeSecret(path, secret)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readSecret(path), secret)
  moveSecret(path, other)
  assert.deepEqual([readSecret(path), readSecret(other)], [undefined, secret])
  // Whoever has it open sees what is left of it on the disk.
  const file = openSync(other, 'r')
  eraseSecret(other)
  const left = Buffer.alloc(64, 1)
  assert.equal(readSync(file, left, 0, 64, 0), 32)
  closeSync(file)
  assert.ok(left.subarray(0, 32).every((byte) => byte === 0))
  assert.deepEqual(readdirSync(join(directory, 'deep')), [])
  eraseSecret(other)
})

it('names what a crash may leave half written', () => {
  // One of an earlier process of the same id is in the way, and is not taken for the secret.
  const path = join(directory, 'one.key')
  const left = `${path}.${process.pid}.new`
  assert.match(left, HALF_WRITTEN)
  assert.doesNotMatch(path, HALF_WRITTEN)
  writeFileSync(left, 'half')
  assert.throws(() => writeSecret(path, new Uint8Array(32)), { code: 'E_KEY_FILE' })
  assert.equal(readSecret(path), undefined)
})
