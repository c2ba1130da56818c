import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { S3Keys } from '../../src/s3/s3-keys.ts'
import { testDirectory } from '../support/test-daemon.ts'

const clock = new VirtualClock(1_000)
const person = SigningKey.generate()

test('keys outlive the process, sealed; a secret is told once', (t) => {
  const path = join(testDirectory(t), 's3-keys.sealed')
  let one
  {
    using keys = new S3Keys(path, person, clock)
    one = keys.create({ name: 'backup', buckets: ['a-bucket'], access: 'read' })
    const two = keys.create({ access: 'write' })
    assert.match(one.accessKeyId, /^WEFT[A-Z2-7]{16}$/)
    assert.match(one.secretAccessKey, /^[\w-]{40}$/)
    assert.equal(two.name, two.accessKeyId)
    assert.notEqual(one.secretAccessKey, two.secretAccessKey)
  }
  const file = readFileSync(path)
  for (const secret of [one.secretAccessKey, one.accessKeyId, 'backup', 'a-bucket'])
    assert.ok(!file.includes(secret), secret)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  using keys = new S3Keys(path, person, clock)
  assert.deepEqual(keys.find(one.accessKeyId), {
    accessKeyId: one.accessKeyId,
    secretAccessKey: one.secretAccessKey,
    scope: { buckets: new Set(['a-bucket']), access: 'read' },
  })
  assert.ok(!JSON.stringify(keys.list()).includes(one.secretAccessKey))
  assert.deepEqual(
    keys.list().map(({ name, buckets, access, createdAt }) => [name === 'backup', buckets, access, createdAt]),
    [
      [true, ['a-bucket'], 'read', 1_000],
      [false, undefined, 'write', 1_000],
    ],
  )
})

test('names are of one key; a key is revoked by name or id, at once and for good', (t) => {
  const path = join(testDirectory(t), 's3-keys.sealed')
  using keys = new S3Keys(path, person, clock)
  const one = keys.create({ name: 'one', access: 'write' })
  assert.throws(() => keys.create({ name: 'one', access: 'write' }), { code: 'E_S3_KEY_NAME_TAKEN' })
  const two = keys.create({ name: 'two', access: 'write' })
  assert.equal(keys.find(two.accessKeyId)?.scope.buckets, 'all')
  keys.revoke('one')
  keys.revoke(two.accessKeyId)
  assert.throws(() => keys.revoke('one'), { code: 'E_S3_KEY_UNKNOWN' })
  using again = new S3Keys(path, person, clock)
  assert.deepEqual([keys.find(one.accessKeyId), again.find(two.accessKeyId), again.size], [undefined, undefined, 0])
})

test('there are 256 keys at most', (t) => {
  using keys = new S3Keys(join(testDirectory(t), 's3-keys.sealed'), person, clock)
  for (let at = 0; at < 256; at++) keys.create({ access: 'read' })
  assert.throws(() => keys.create({ access: 'read' }), { code: 'E_S3_KEY_LIMIT' })
})

test('a file that is damaged, or of another person, is refused; where it cannot be written nothing is made', (t) => {
  const directory = testDirectory(t)
  const path = join(directory, 's3-keys.sealed')
  using keys = new S3Keys(path, person, clock)
  keys.create({ access: 'write' })
  assert.throws(() => new S3Keys(path, SigningKey.generate(), clock), { code: 'E_S3_KEYS_FILE' })
  const file = readFileSync(path)
  for (const bytes of [file.subarray(0, 20), Buffer.alloc(0), Buffer.concat([file, Buffer.from('x')])]) {
    writeFileSync(path, bytes)
    assert.throws(() => new S3Keys(path, person, clock), { code: 'E_S3_KEYS_FILE' })
  }
  using lost = new S3Keys(join(directory, 'none', 's3-keys.sealed'), person, clock)
  assert.throws(() => lost.create({ access: 'write' }), { code: 'E_S3_KEYS_FILE' })
  assert.equal(lost.size, 0)
})
