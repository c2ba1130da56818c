import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { readNetworkFile } from '../../src/network/read-network-file.ts'
import { temporaryDirectory } from '../fixtures.ts'

test('a directory in the place of a network file is told as one, and what is missing as missing', () => {
  using directory = temporaryDirectory()
  const { path } = directory
  assert.throws(() => readNetworkFile(path), {
    code: 'E_NETWORK_FILE_MISSING',
    cause: `${path} is a directory, and no network file.`,
    fix: `Name the file itself, e.g. ${join(path, 'network.json')}.`,
  })
  const missing = join(path, 'network.json')
  assert.throws(() => readNetworkFile(missing), { cause: `There is no network file at ${missing}.` })
})
