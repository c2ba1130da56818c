import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, describe, test } from 'node:test'
import { isWeftError, systemClock, toBase64Url } from '@weft/core'
import { type Bridge, formatBridgeLine } from '../src/bridge-line.ts'
import { addBridge, readBridges, removeBridge } from '../src/bridges-file.ts'
import { InvitationStore } from '../src/invitation-store.ts'
import { MAX_BRIDGES } from '../src/limits.ts'

const failsWith = (code: string) => (error: unknown) => isWeftError(error, code)

function fileIn(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'weft-bridge-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return join(directory, 'file')
}

function line(last: number, secret = 1): string {
  const bridge: Bridge = {
    endpoint: { host: `192.0.2.${last}`, port: 443 },
    pin: new Uint8Array(32),
    id: new Uint8Array(8),
    secret: new Uint8Array(32).fill(secret),
    serverName: '',
  }
  return formatBridgeLine(bridge)
}

describe('the bridges that a client keeps', () => {
  test('are read in their order, for their owner only', (t) => {
    const path = fileIn(t)
    assert.deepEqual(readBridges(path), [])
    for (const last of [3, 1, 2]) addBridge(path, line(last))
    assert.deepEqual(
      readBridges(path).map(({ endpoint }) => endpoint.host),
      ['192.0.2.3', '192.0.2.1', '192.0.2.2'],
    )
    assert.equal(statSync(path).mode & 0o777, 0o600)
    chmodSync(path, 0o640)
    assert.throws(() => readBridges(path), failsWith('E_BRIDGE_FILE'))
  })

  test('are replaced by a new line for the same place, and taken out by it', (t) => {
    const path = fileIn(t)
    addBridge(path, line(1))
    addBridge(path, line(2))
    addBridge(path, line(1, 9))
    assert.deepEqual(
      readBridges(path).map(({ secret }) => secret[0]),
      [9, 1],
    )
    removeBridge(path, '192.0.2.1:443')
    assert.throws(() => removeBridge(path, '192.0.2.1:443'), failsWith('E_BRIDGE_UNKNOWN'))
    assert.equal(readBridges(path).length, 1)
  })

  test('are so many at most, and nothing but lines', (t) => {
    const path = fileIn(t)
    for (let last = 1; last <= MAX_BRIDGES; last++) addBridge(path, line(last))
    assert.throws(() => addBridge(path, line(99)), failsWith('E_BRIDGE_LIMIT'))
    addBridge(path, line(1, 9))
    assert.throws(() => addBridge(path, 'weft-join-abc'), failsWith('E_BRIDGE_LINE'))
    writeFileSync(path, 'nothing\n', { mode: 0o600 })
    assert.throws(() => readBridges(path), failsWith('E_BRIDGE_FILE'))
  })
})

describe('the invitations of a bridge', () => {
  test('are there again after a start, with their secrets, for their owner only', (t) => {
    const path = fileIn(t)
    const { id, secret } = new InvitationStore(path, systemClock).create('a')
    const again = new InvitationStore(path, systemClock)
    assert.deepEqual(again.secretOf(id), secret)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.ok(!JSON.stringify(again.list()).includes(toBase64Url(secret)))
  })

  test('are void when they are revoked, by name or id', (t) => {
    const path = fileIn(t)
    const store = new InvitationStore(path, systemClock)
    const [a, b] = [store.create('a'), store.create('b')]
    assert.throws(() => store.create('a'), failsWith('E_BRIDGE_NAME_TAKEN'))
    store.revoke('a')
    store.revoke(b.id)
    assert.equal(store.secretOf(a.id), undefined)
    assert.throws(() => store.revoke('a'), failsWith('E_BRIDGE_UNKNOWN'))
    assert.deepEqual(new InvitationStore(path, systemClock).list(), [])
    assert.ok(!readFileSync(path, 'utf8').includes(toBase64Url(a.secret)))
  })

  test('are not read from what is no list of them', (t) => {
    const path = fileIn(t)
    const good = { id: '0123456789abcdef', name: 'a', createdAt: 1, secret: toBase64Url(new Uint8Array(32)) }
    for (const bad of ['', '{', '[]', { ...good, id: 'x' }, { ...good, secret: 'AA' }, { ...good, name: '../x' }]) {
      const text = typeof bad === 'string' ? bad : JSON.stringify({ schemaVersion: 1, invitations: [bad] })
      writeFileSync(path, text, { mode: 0o600 })
      assert.throws(() => new InvitationStore(path, systemClock), failsWith('E_BRIDGE_FILE'))
    }
    writeFileSync(path, JSON.stringify({ schemaVersion: 1, invitations: [good] }), { mode: 0o600 })
    assert.equal(new InvitationStore(path, systemClock).list().length, 1)
  })
})
