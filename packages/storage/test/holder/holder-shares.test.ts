import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock, isWeftError, seededRandom } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import { authorizeCommit, authorizeRelease } from '../../src/holder/shard-authorization.ts'
import { type Fixture, MiB, holderFixture, rejects, newObject } from './holder-fixture.ts'
import { Judge } from './judge.ts'

const random = seededRandom(3)
const DAY = 86_400_000
const later = (): number => Date.now() + DAY
const big = random.bytes(MiB - 4096)
const small = random.bytes(30_000)

/** A holder of 8 MiB whose map has the given members. */
function sharedHolder(members: Set<DidKey>, options: Parameters<typeof holderFixture>[0] = {}): Promise<Fixture> {
  return holderFixture({ quotaBytes: 8 * MiB, isMember: (id) => members.has(id), ...options })
}

/** Puts and commits one object as `from`; resolves with 'ok' or the code of the refusal. */
async function store(fixture: Fixture, from: SigningKey, bytes: Uint8Array, expiresAt = later()): Promise<string> {
  await using client = fixture.connect(from)
  const object = newObject()
  try {
    await client.put({ object: object.publicKey, segment: 0, index: 0 }, bytes)
    await client.commit(authorizeCommit(object, expiresAt))
    return 'ok'
  } catch (error) {
    await client.release(authorizeRelease(object))
    return isWeftError(error) ? error.code : String(error)
  }
}

describe('shares of a holder', () => {
  it('gives a stranger a quarter of the quota and all strangers half of it, restarts included', async () => {
    const members = new Set<DidKey>()
    await using fixture = await sharedHolder(members)
    const strangers = Array.from({ length: 6 }, () => SigningKey.generate())
    const counts: number[] = []
    for (const stranger of strangers) {
      let count = 0
      while ((await store(fixture, stranger, big)) === 'ok') count++
      counts.push(count)
      if (counts.length === 1) await fixture.restart()
    }
    assert.deepEqual(counts, [2, 2, 0, 0, 0, 0])
    await fixture.restart()
    assert.equal(await store(fixture, SigningKey.generate(), big), 'E_QUOTA')
    const member = SigningKey.generate()
    members.add(member.id)
    for (let count = 0; count < 4; count++) assert.equal(await store(fixture, member, big), 'ok')
    assert.equal(await store(fixture, member, big), 'E_QUOTA')
  })

  it('gives room back when a shard is released or replaced, and counts for a peer what it is now', async () => {
    const members = new Set<DidKey>()
    await using fixture = await sharedHolder(members)
    const [a, b, c] = [SigningKey.generate(), SigningKey.generate(), SigningKey.generate()]
    const object = newObject()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    {
      await using client = fixture.connect(a)
      for (let round = 0; round < 6; round++) {
        await client.put(name, big)
        await client.put(name, small)
        if (round % 2 === 0) await client.release(authorizeRelease(object))
      }
      await client.release(authorizeRelease(object))
    }
    assert.deepEqual([fixture.holder.held().shards, fixture.holder.held().bytes], [0, 0])
    for (const peer of [a, a, b, b]) assert.equal(await store(fixture, peer, big), 'ok')
    assert.equal(await store(fixture, c, big), 'E_QUOTA')
    members.add(a.id)
    assert.equal(await store(fixture, a, big), 'ok')
    assert.equal(await store(fixture, c, big), 'ok')
    members.delete(a.id)
    assert.equal(await store(fixture, a, small), 'E_QUOTA')
    assert.equal(await store(fixture, c, big), 'E_QUOTA')
  })

  it('keeps a validator’s shard though it is full, but lets no stranger’s stay', async () => {
    const member = SigningKey.generate()
    const strangers = [SigningKey.generate(), SigningKey.generate()]
    for (const full of [strangers, [member]]) {
      await using fixture = await sharedHolder(new Set([member.id]))
      for (const bytes of [big, small]) for (const peer of full) while ((await store(fixture, peer, bytes)) === 'ok');
      assert.equal(await store(fixture, SigningKey.generate(), random.bytes(128 * 1024)), 'E_QUOTA')
      const before = fixture.holder.held().bytes
      using judge = new Judge(fixture)
      await judge.run()
      assert.equal(fixture.holder.held().bytes, before)
    }
  })

  it('keeps for strangers no longer than a month', async () => {
    const clock = new VirtualClock(Date.now())
    const member = SigningKey.generate()
    await using fixture = await sharedHolder(new Set([member.id]), { clock })
    const stranger = SigningKey.generate()
    assert.equal(await store(fixture, stranger, small, clock.now() + 33 * DAY), 'E_LIFETIME')
    assert.equal(await store(fixture, stranger, small, clock.now() + 31 * DAY), 'ok')
    assert.equal(await store(fixture, member, small, clock.now() + 399 * DAY), 'ok')
  })

  it('keeps most streams for members, however many strangers come', async () => {
    const member = SigningKey.generate()
    const limits = { streams: 12, strangerStreams: 8, streamsPerStranger: 3, streamsPerMember: 4 }
    await using fixture = await sharedHolder(new Set([member.id]), { limits })
    const ask = (client: ReturnType<Fixture['connect']>) => client.stat(random.bytes(32), 0, 1)
    const one = SigningKey.generate()
    for (let count = 0; count < 3; count++) await ask(fixture.connect(one))
    await rejects(ask(fixture.connect(one)), 'E_BUSY')
    for (let count = 0; count < 5; count++) await ask(fixture.connect(SigningKey.generate()))
    await rejects(ask(fixture.connect(SigningKey.generate())), 'E_BUSY')
    for (let count = 0; count < 4; count++) await ask(fixture.connect(member))
    await rejects(ask(fixture.connect(member)), 'E_BUSY')
  })
})
