import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { isWeftError, toHex } from '@weft/core'
import { openStream } from '../src/open-stream.ts'
import { INVITATION_STREAMS, TARGET_STREAMS } from '../src/limits.ts'
import { BridgeFixture, HOST } from './bridge-fixture.ts'

const NEVER = new AbortController().signal
const failsWith = (code: string) => (error: unknown) => isWeftError(error, code)

async function roundTrip(stream: Duplex, bytes: Uint8Array): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  stream.on('data', (chunk: Uint8Array) => parts.push(chunk))
  stream.end(bytes)
  await once(stream, 'end')
  return Buffer.concat(parts)
}

describe('a stream through a bridge', () => {
  let fixture: BridgeFixture
  before(async () => {
    fixture = await BridgeFixture.open()
  })
  after(() => fixture[Symbol.asyncDispose]())

  test('carries bytes both ways to the end of each, and counts them', async () => {
    const bytes = Buffer.alloc(5_000_000, 7)
    const stream = await openStream(fixture.bridge, fixture.member, NEVER)
    assert.ok(bytes.equals(await roundTrip(stream, bytes)))
    const { toClients, toMembers, opened } = fixture.server.status()
    assert.deepEqual({ toClients, toMembers, opened }, { toClients: bytes.length, toMembers: bytes.length, opened: 1 })
  })

  test('leads to members only', async () => {
    for (const port of [fixture.member.port + 1, fixture.server.port, 22])
      await assert.rejects(openStream(fixture.bridge, { host: HOST, port }, NEVER), failsWith('E_BRIDGE_TARGET'))
    await assert.rejects(
      openStream(fixture.bridge, { ...fixture.member, host: '127.0.0.2' }, NEVER),
      failsWith('E_BRIDGE_TARGET'),
    )
  })

  test('says that a member does not answer', async () => {
    fixture.members.add(1)
    await assert.rejects(openStream(fixture.bridge, { host: HOST, port: 1 }, NEVER), failsWith('E_BRIDGE_MEMBER'))
  })

  test('is refused to who has another secret or no invitation, as a stranger is', async () => {
    const wrong = { ...fixture.bridge, secret: new Uint8Array(32) }
    await assert.rejects(openStream(wrong, fixture.member, NEVER), failsWith('E_BRIDGE_REFUSED'))
    const unknown = { ...fixture.bridge, id: new Uint8Array(8) }
    await assert.rejects(openStream(unknown, fixture.member, NEVER), failsWith('E_BRIDGE_REFUSED'))
  })

  test('says nothing to who has another key', async () => {
    const { passes } = fixture.server.status().refused
    const other = { ...fixture.bridge, pin: new Uint8Array(32) }
    await assert.rejects(openStream(other, fixture.member, NEVER), failsWith('E_BRIDGE_PIN'))
    assert.equal(fixture.server.status().refused.passes, passes)
  })

  test('says that nobody is there', async () => {
    const gone = { ...fixture.bridge, endpoint: { host: HOST, port: 1 } }
    await assert.rejects(openStream(gone, fixture.member, NEVER), failsWith('E_BRIDGE_UNREACHABLE'))
  })

  test('ends when its invitation is revoked, and no other does', async () => {
    const mine = fixture.invite()
    const theirs = fixture.invite()
    const [one, two] = [await openStream(mine, fixture.member, NEVER), await openStream(theirs, fixture.member, NEVER)]
    one.resume()
    const closed = once(one, 'close')
    fixture.invitations.delete(toHex(mine.id))
    fixture.server.end(toHex(mine.id))
    await closed
    await assert.rejects(openStream(mine, fixture.member, NEVER), failsWith('E_BRIDGE_REFUSED'))
    assert.deepEqual(await roundTrip(two, Buffer.from('still here')), Buffer.from('still here'))
    assert.equal(fixture.server.useOf(toHex(mine.id)).streams, 0)
  })

  test('has so many beside it of one invitation, and others have theirs', async () => {
    const mine = fixture.invite()
    const streams: Duplex[] = []
    const members = [fixture.member, ...(await fixture.moreMembers(INVITATION_STREAMS / TARGET_STREAMS))]
    for (const member of members.slice(0, -1)) {
      for (let count = 0; count < TARGET_STREAMS; count++) streams.push(await openStream(mine, member, NEVER))
      await assert.rejects(openStream(mine, member, NEVER), failsWith('E_BRIDGE_BUSY'))
    }
    assert.equal(streams.length, INVITATION_STREAMS)
    const last = members.at(-1) ?? assert.fail()
    await assert.rejects(openStream(mine, last, NEVER), failsWith('E_BRIDGE_BUSY'))
    const other = await openStream(fixture.invite(), fixture.member, NEVER)
    for (const stream of [...streams, other]) stream.destroy()
  })

  test('holds a client that does not read, and what waits is bounded', async () => {
    const mine = fixture.invite()
    const stream = await openStream(mine, fixture.member, NEVER)
    const chunk = Buffer.alloc(64 * 1_024)
    // Until nothing goes any more: what is between the two ends is full then.
    for (let quiet = 0; quiet < 20;) {
      const before = fixture.server.useOf(toHex(mine.id)).toMembers
      if (stream.writableLength < chunk.length) stream.write(chunk)
      await new Promise(setImmediate)
      quiet = fixture.server.useOf(toHex(mine.id)).toMembers === before && stream.writableLength > 0 ? quiet + 1 : 0
    }
    stream.destroy()
  })
})

test('one invitation does not call a member over and over, which takes so many calls from a bridge', async () => {
  await using fixture = await BridgeFixture.open(1)
  for (let count = 0; count < TARGET_STREAMS; count++) {
    const stream = await openStream(fixture.bridge, fixture.member, NEVER)
    stream.destroy()
    await once(stream, 'close')
  }
  await assert.rejects(openStream(fixture.bridge, fixture.member, NEVER), failsWith('E_BRIDGE_BUSY'))
  const other = await openStream(fixture.invite(), fixture.member, NEVER)
  other.destroy()
})

test('what is no TLS gets no answer of a bridge', async () => {
  await using fixture = await BridgeFixture.open()
  const socket = connect(fixture.server.port, HOST)
  const parts: Buffer[] = []
  socket.on('data', (chunk: Buffer) => parts.push(chunk))
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'close')
  assert.ok(!Buffer.concat(parts).toString().includes('HTTP/1.1'))
})
