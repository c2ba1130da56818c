import assert from 'node:assert/strict'
import { globSync, openSync, readdirSync, truncateSync, writeSync, closeSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { VirtualClock, abortError, isWeftError, seededRandom, toHex } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import {
  FrameParser,
  ShardRequestSchema,
  ShardResponseSchema,
  create,
  decodeMessage,
  encodeFrame,
  encodeMessage,
} from '@weft/wire'
import fc from 'fast-check'
import { authorizeCommit, authorizeRelease } from '../../src/holder/shard-authorization.ts'
import { storageProbe } from '../../src/holder/storage-probe.ts'
import { type Fixture, MiB, holderFixture, rejects, until } from './holder-fixture.ts'

const random = seededRandom(1)
const HOUR = 3_600_000
const later = (): number => Date.now() + HOUR
const small = random.bytes(10_000)
const large = random.bytes(700_001)
const files = (fixture: Fixture): number =>
  globSync(join(fixture.directory, 'shards/large/*/*')).filter((path) => statSync(path).isFile()).length

async function got(
  fixture: Fixture,
  object: Uint8Array,
  segment: number,
  index: number,
  length: number,
): Promise<Uint8Array> {
  await using client = fixture.connect()
  const into = new Uint8Array(length)
  await client.get({ object, segment, index }, into)
  return into
}

describe('holder', () => {
  it('keeps what is committed across a restart, small and large', async () => {
    await using fixture = await holderFixture()
    const object = SigningKey.generate()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    {
      await using client = fixture.connect()
      await Promise.all([
        client.put(name, small),
        client.put({ ...name, segment: 1 }, [large.subarray(0, 5), large.subarray(5)]),
      ])
      await client.commit(authorizeCommit(object, later()))
    }
    await fixture.restart()
    assert.deepEqual(await got(fixture, name.object, 0, 0, small.length), small)
    assert.deepEqual(await got(fixture, name.object, 1, 0, large.length), large)
    await using client = fixture.connect()
    assert.deepEqual(await client.stat(name.object, 0, 4096), [
      { segment: 0, index: 0, length: small.length, corrupt: false },
      { segment: 1, index: 0, length: large.length, corrupt: false },
    ])
    assert.deepEqual(fixture.holder.held(), {
      shards: 2,
      bytes: small.length + large.length,
      quotaBytes: 64 * MiB,
      fault: undefined,
    })
  })

  it('answers many overlapping requests in order', async () => {
    await using fixture = await holderFixture()
    await using client = fixture.connect()
    const object = SigningKey.generate()
    const shards = Array.from({ length: 40 }, (_, index) => random.bytes(1 + ((index * 37_123) % 600_000)))
    const name = (index: number) => ({ object: object.publicKey, segment: 0, index })
    const puts = shards.map((shard, index) => client.put(name(index), shard))
    const committed = client.commit(authorizeCommit(object, later()))
    const backs = shards.map(async (shard, index) => {
      const into = new Uint8Array(shard.length)
      await client.get(name(index), into)
      return into
    })
    await Promise.all([...puts, committed])
    assert.deepEqual(await Promise.all(backs), shards)
  })

  it('drops what was not committed after the grace, and at once on release', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    const object = SigningKey.generate()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    {
      await using client = fixture.connect()
      await client.put(name, large)
    }
    await until(async () => {
      await clock.advance(15_000)
      return fixture.holder.held().shards === 0
    }, 'the abandoned shard was dropped')
    await using client = fixture.connect()
    await client.put(name, large)
    await client.commit(authorizeCommit(object, clock.now() + HOUR))
    await client.release(authorizeRelease(object))
    await rejects(client.get(name, new Uint8Array(large.length)), 'E_SHARD_NOT_FOUND')
    await until(() => files(fixture) === 0, 'the file was removed')
  })

  it('lets a second stream go on where a broken one ended, and commits both', async () => {
    await using fixture = await holderFixture()
    const object = SigningKey.generate()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    const first = fixture.connect()
    await first.put(name, large)
    first.abort(abortError())
    await using second = fixture.connect()
    await second.put({ ...name, segment: 1 }, small)
    await second.commit(authorizeCommit(object, later()))
    assert.equal((await second.stat(name.object, 0, 2)).length, 2)
  })

  it('removes objects when they expire; an older commit does not shorten their life', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    await using client = fixture.connect()
    const object = SigningKey.generate()
    await client.put({ object: object.publicKey, segment: 0, index: 0 }, large)
    await client.commit(authorizeCommit(object, clock.now() + 2 * HOUR))
    await client.commit(authorizeCommit(object, clock.now() + HOUR))
    await clock.advance(1.5 * HOUR)
    await fixture.holder.store.sweep()
    assert.equal(fixture.holder.held().shards, 1)
    await clock.advance(HOUR)
    await until(() => fixture.holder.held().shards === 0 && files(fixture) === 0, 'the object was removed')
  })

  it('takes commits and releases from the owner alone', async () => {
    await using fixture = await holderFixture()
    await using client = fixture.connect()
    const [object, thief] = [SigningKey.generate(), SigningKey.generate()]
    await client.put({ object: object.publicKey, segment: 0, index: 0 }, small)
    const expiresAt = later()
    const commit = authorizeCommit(object, expiresAt)
    await rejects(client.commit({ ...commit, expiresAt: expiresAt + 1 }), 'E_SIGNATURE_INVALID')
    await rejects(
      client.commit({ ...authorizeCommit(thief, expiresAt), object: object.publicKey }),
      'E_SIGNATURE_INVALID',
    )
    await rejects(client.release({ ...authorizeRelease(thief), object: object.publicKey }), 'E_SIGNATURE_INVALID')
    await rejects(client.release({ object: object.publicKey, signature: commit.signature }), 'E_SIGNATURE_INVALID')
    await rejects(client.commit(authorizeCommit(object, Date.now() - 1)), 'E_EXPIRED')
    await rejects(client.commit(authorizeCommit(object, Date.now() + 401 * 24 * HOUR)), 'E_LIFETIME')
    await rejects(client.commit(authorizeCommit(thief, expiresAt)), 'E_SHARD_NOT_FOUND')
    await client.commit(commit)
  })

  it('never lets one peer replace what another put, nor anybody what is committed', async () => {
    await using fixture = await holderFixture()
    const object = SigningKey.generate()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    await using owner = fixture.connect()
    await using other = fixture.connect(SigningKey.generate())
    await owner.put(name, small)
    await rejects(other.put(name, large), 'E_SHARD_EXISTS')
    await owner.put(name, large)
    await owner.commit(authorizeCommit(object, later()))
    await rejects(owner.put(name, small), 'E_SHARD_EXISTS')
    await rejects(other.put(name, small), 'E_SHARD_EXISTS')
    assert.deepEqual(await got(fixture, name.object, 0, 0, large.length), large)
    assert.equal(fixture.holder.held().bytes, large.length)
    // What a stranger adds to the object is not covered by the owner's word.
    await other.put({ ...name, index: 1 }, small)
    await owner.commit(authorizeCommit(object, later()))
    assert.equal(fixture.holder.store.provisional().length, 1)
  })

  it('refuses before writing what goes over a quota, and the stream goes on', async () => {
    await using fixture = await holderFixture({ quotaBytes: MiB, limits: { provisionalBytesPerPeer: 900_000 } })
    const object = SigningKey.generate()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    await using client = fixture.connect()
    await rejects(client.put(name, random.bytes(900_001)), 'E_QUOTA')
    await client.put(name, large)
    await rejects(client.put({ ...name, index: 1 }, large), 'E_QUOTA')
    await client.commit(authorizeCommit(object, later()))
    await rejects(client.put({ ...name, index: 1 }, large), 'E_QUOTA')
    await client.put({ ...name, index: 1 }, small)
    await using full = await holderFixture({ reserveBytes: 2 ** 50 })
    await using refused = full.connect()
    await rejects(refused.put(name, small), 'E_DISK_FULL')
    assert.deepEqual([full.holder.held().shards, full.holder.held().fault?.code], [0, 'E_DISK_FULL'])
  })

  it('finds bytes that the disk changed, and says so in stat', async () => {
    await using fixture = await holderFixture()
    const object = SigningKey.generate()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    await using client = fixture.connect()
    for (const [segment, bytes] of [large, large, large, small].entries()) await client.put({ ...name, segment }, bytes)
    await client.commit(authorizeCommit(object, later()))
    const paths = globSync(join(fixture.directory, 'shards/large/*/*'))
      .filter((path) => statSync(path).isFile())
      .toSorted()
    const [log] = globSync(join(fixture.directory, 'shards/logs/*.log'))
    flip(paths[0]!, 1)
    truncateSync(paths[1]!, 699_000)
    flip(log!, 9_999)
    await rejects(client.get(name, new Uint8Array(large.length)), 'E_SHARD_CORRUPT')
    const corruptNow = async () => {
      await using again = fixture.connect()
      return (await again.stat(name.object, 0, 4)).filter(({ corrupt }) => corrupt).length
    }
    assert.equal(await corruptNow(), 1)
    // Damage behind the first piece can only end the stream; from then on it is known.
    await rejects(client.get({ ...name, segment: 1 }, new Uint8Array(large.length)), 'E_STREAM_RESET')
    assert.equal(await corruptNow(), 2)
    await using second = fixture.connect()
    await rejects(second.get({ ...name, segment: 1 }, new Uint8Array(large.length)), 'E_SHARD_CORRUPT')
    assert.equal(await fixture.holder.store.scrub(new AbortController().signal), 1)
    assert.equal(await corruptNow(), 3)
    await second.put({ ...name, segment: 0 }, large)
    assert.deepEqual(await got(fixture, name.object, 0, 0, large.length), large)
  })

  it('puts index and files in agreement at start', async () => {
    await using fixture = await holderFixture()
    const object = SigningKey.generate()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    {
      await using client = fixture.connect()
      await client.put(name, large)
      await client.put({ ...name, segment: 1 }, small)
      await client.commit(authorizeCommit(object, later()))
    }
    const [log] = globSync(join(fixture.directory, 'shards/logs/*.log'))
    for (const path of [
      log!,
      join(fixture.directory, 'shards/large/new/77'),
      join(fixture.directory, 'shards/large/3/99'),
    ]) {
      const file = openSync(path, 'a')
      writeSync(file, 'torn')
      closeSync(file)
    }
    await fixture.restart()
    assert.equal(statSync(log!).size, small.length)
    assert.deepEqual(readdirSync(join(fixture.directory, 'shards/large/new')), [])
    assert.equal(files(fixture), 1)
    assert.deepEqual(await got(fixture, name.object, 1, 0, small.length), small)
  })

  it('moves what is left of a sparse log and removes the log', async () => {
    await using fixture = await holderFixture()
    const objects = Array.from({ length: 4 }, () => SigningKey.generate())
    {
      await using client = fixture.connect()
      for (const object of objects) {
        await client.put({ object: object.publicKey, segment: 0, index: 0 }, small)
        await client.commit(authorizeCommit(object, later()))
      }
    }
    const [before] = globSync(join(fixture.directory, 'shards/logs/*.log'))
    await fixture.restart()
    {
      await using client = fixture.connect()
      for (const object of objects.slice(1)) await client.release(authorizeRelease(object))
    }
    await fixture.holder.store.sweep()
    const after = globSync(join(fixture.directory, 'shards/logs/*.log'))
    assert.equal(after.length, 1)
    assert.notEqual(after[0], before)
    assert.deepEqual(await got(fixture, objects[0]!.publicKey, 0, 0, small.length), small)
    await fixture.restart()
    assert.deepEqual(await got(fixture, objects[0]!.publicKey, 0, 0, small.length), small)
  })

  it('answers what breaks the protocol with a fault and resets', async () => {
    await using fixture = await holderFixture()
    const name = { object: random.bytes(32), segment: 0, index: 0 }
    const request = (body: Parameters<typeof create<typeof ShardRequestSchema>>[1]) =>
      encodeFrame(encodeMessage(ShardRequestSchema, create(ShardRequestSchema, body)))
    const cases: [string, Uint8Array][] = [
      ['E_SHARD_TOO_LARGE', request({ body: { case: 'put', value: { name, length: BigInt(16 * MiB + 1) } } })],
      ['E_REQUEST_INVALID', request({ body: { case: 'put', value: { name, length: 0n } } })],
      ['E_REQUEST_INVALID', request({ body: { case: 'get', value: { name: { ...name, object: random.bytes(31) } } } })],
      ['E_REQUEST_INVALID', request({ body: { case: 'get', value: { name: { ...name, index: 256 } } } })],
      ['E_REQUEST_INVALID', request({ body: { case: 'stat', value: { object: name.object, count: 4097 } } })],
      ['E_REQUEST_INVALID', encodeFrame(new Uint8Array(0))],
      ['E_MESSAGE_MALFORMED', encodeFrame(Uint8Array.of(255, 255))],
      ['E_MESSAGE_UNKNOWN_FIELD', encodeFrame(Uint8Array.of(0x78, 1))],
      ['E_FRAME_TOO_LARGE', Uint8Array.of(255, 255, 255, 127)],
    ]
    for (const [code, bytes] of cases) {
      const stream = fixture.streams.connect(fixture.peer.id)
      await stream.write(bytes)
      const parser = new FrameParser(MiB)
      await assert.rejects(async () => {
        for await (const chunk of stream.incoming) parser.push(chunk)
        await stream.closed
        throw new Error('reset')
      })
      const frame = parser.takeFrame()
      assert.ok(frame !== undefined, code)
      const { body } = decodeMessage(ShardResponseSchema, frame, MiB)
      assert.equal(body.case === 'fault' ? body.value.code : body.case, code)
    }
    assert.equal(fixture.holder.held().shards, 0)
  })

  it('leaves nothing of a put that ends in the middle', async () => {
    await using fixture = await holderFixture()
    const client = fixture.connect()
    const controller = new AbortController()
    const object = random.bytes(32)
    const put = client.put({ object, segment: 0, index: 0 }, random.bytes(8 * MiB), controller.signal)
    controller.abort()
    await rejects(put, 'E_ABORTED')
    const stream = fixture.streams.connect(fixture.peer.id)
    const message = create(ShardRequestSchema, {
      body: { case: 'put', value: { name: { object, segment: 1, index: 0 }, length: 900_000n } },
    })
    await stream.write(encodeFrame(encodeMessage(ShardRequestSchema, message)))
    await stream.write(random.bytes(600_000))
    await stream.closeWrite()
    await stream.closed
    await until(
      () => readdirSync(join(fixture.directory, 'shards/large/new')).length === 0 && files(fixture) === 0,
      'the files were removed',
    )
    assert.equal(fixture.holder.held().shards, 0)
  })

  it('bounds the streams of a peer', async () => {
    await using fixture = await holderFixture({ limits: { streamsPerPeer: 2 } })
    const [a, b] = [fixture.connect(), fixture.connect()]
    const third = fixture.connect()
    await rejects(third.stat(random.bytes(32), 0, 1), 'E_BUSY')
    await using other = fixture.connect(SigningKey.generate())
    await other.stat(random.bytes(32), 0, 1)
    await Promise.all([a.close(), b.close()])
    await until(async () => {
      await using again = fixture.connect()
      return await again.stat(random.bytes(32), 0, 1).then(
        () => true,
        () => false,
      )
    }, 'the closed streams made room')
  })

  it('resets a stream that stalls in the middle of a shard', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    const stream = fixture.streams.connect(fixture.peer.id)
    const message = create(ShardRequestSchema, {
      body: { case: 'put', value: { name: { object: random.bytes(32), segment: 0, index: 0 }, length: 900_000n } },
    })
    await stream.write(encodeFrame(encodeMessage(ShardRequestSchema, message)))
    await stream.write(random.bytes(10_000))
    const over = Promise.withResolvers<boolean>()
    stream.closed.then(() => over.resolve(true), over.reject)
    await until(async () => {
      await clock.advance(60_000)
      return Promise.race([over.promise, new Promise<boolean>((resolve) => setImmediate(resolve, false))])
    }, 'the stream was reset')
  })

  it('passes its own conformance probe', async () => {
    await using fixture = await holderFixture()
    const probe = { open: async () => fixture.streams.connect(fixture.peer.id) } as unknown as Parameters<
      typeof storageProbe.run
    >[0]
    await storageProbe.run(probe, fixture.peer.id, new AbortController().signal)
    assert.equal(fixture.holder.held().shards, 0)
  })

  it('agrees with a model under random operations, restarts included', { timeout: 120_000 }, async () => {
    const objects = [SigningKey.generate(), SigningKey.generate()]
    const operation = fc.record({
      op: fc.constantFrom(
        'put' as const,
        'put' as const,
        'put' as const,
        'commit' as const,
        'release' as const,
        'restart' as const,
      ),
      object: fc.nat(1),
      segment: fc.nat(2),
      length: fc.constantFrom(1, 65_535, 65_536, 262_143, 262_144, 300_000),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 25 }), async (operations) => {
        await using fixture = await holderFixture()
        const model = new Map<string, { bytes: Uint8Array; committed: boolean; object: number; segment: number }>()
        let client = fixture.connect()
        for (const { op, object, segment, length } of operations) {
          const key = objects[object]!
          if (op === 'put') {
            const bytes = random.bytes(length)
            const held = model.get(`${object}/${segment}`)
            const put = client.put({ object: key.publicKey, segment, index: 0 }, bytes)
            if (held?.committed === true) await rejects(put, 'E_SHARD_EXISTS')
            else {
              await put
              model.set(`${object}/${segment}`, { bytes, committed: false, object, segment })
            }
          } else if (op === 'commit') {
            const mine = [...model.values()].filter((entry) => entry.object === object)
            const commit = client.commit(authorizeCommit(key, later()))
            if (mine.length === 0) await rejects(commit, 'E_SHARD_NOT_FOUND')
            else await commit
            for (const entry of mine) entry.committed = true
          } else if (op === 'release') {
            await client.release(authorizeRelease(key))
            for (const [at, entry] of model) if (entry.object === object) model.delete(at)
          } else {
            await client.close()
            await fixture.restart()
            client = fixture.connect()
          }
        }
        for (const { bytes, object, segment } of model.values()) {
          const into = new Uint8Array(bytes.length)
          await client.get({ object: objects[object]!.publicKey, segment, index: 0 }, into)
          assert.equal(toHex(into), toHex(bytes))
        }
        let bytes = 0
        for (const entry of model.values()) bytes += entry.bytes.length
        const held = fixture.holder.held()
        assert.deepEqual([held.shards, held.bytes], [model.size, bytes])
        await client.close()
      }),
      { numRuns: Number(process.env['WEFT_LONG'] ?? 0) > 0 ? 300 : 15 },
    )
  })

  it('survives arbitrary bytes', async () => {
    await using fixture = await holderFixture({ limits: { streamsPerPeer: 10_000 } })
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const stream = fixture.streams.connect(fixture.peer.id)
        try {
          await stream.write(bytes)
          await stream.closeWrite()
          for await (const _ of stream.incoming);
        } catch (error) {
          assert.ok(isWeftError(error, 'E_STREAM_RESET'))
        }
      }),
      { numRuns: 200 },
    )
    await using client = fixture.connect()
    await client.stat(random.bytes(32), 0, 1)
  })
})

function flip(path: string, at: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Uint8Array.of(0xa5), 0, 1, at)
  closeSync(file)
}
