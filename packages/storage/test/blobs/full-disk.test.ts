import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { SmallDisk } from '../../../../test/lib/small-disk.ts'
import { RESERVE } from '../../src/blobs/disk-reserve.ts'
import { authorizeCommit, authorizeRelease, authorizeRemove } from '../../src/holder/shard-authorization.ts'
import { MiB, holderFixture, rejects, until, newObject } from '../holder/holder-fixture.ts'

const root = process.getuid?.() === 0
const skip = root || process.env['CI'] !== undefined ? false : 'full disk: needs root to mount a tmpfs'

it('a full disk leaves nothing half-written and nothing acknowledged is lost', { skip }, async (context) => {
  const mount = mkdtempSync(join(tmpdir(), 'weft-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'weft-test', mount])
  context.after(() => {
    execFileSync('umount', [mount])
    rmSync(mount, { recursive: true, force: true })
  })
  {
    await using fixture = await holderFixture({ root: mount, quotaBytes: 1024 * MiB, reserveBytes: -64 * MiB })
    const object = newObject()
    await using client = fixture.connect()
    const kept: number[] = []
    const shard = (index: number): Uint8Array => new Uint8Array(MiB).fill(index)
    // The reserve is set below zero, so that the disk itself says that it is full, in the middle of a write.
    for (let index = 0; index < 16; index++) {
      const put = client.put({ object: object.publicKey, segment: 0, index }, shard(index))
      if (index < 8) await put.then(() => kept.push(index))
      else
        await put.then(
          () => kept.push(index),
          (error: unknown) => assert.equal((error as { code: string }).code, 'E_DISK_FULL'),
        )
    }
    assert.ok(kept.length < 16)
    await until(() => globSync(join(mount, 'shards/large/new/*')).length === 0, 'the half-written files were removed')
    const files = globSync(join(mount, 'shards/large/*/*')).filter((path) => statSync(path).isFile())
    assert.equal(files.length, kept.length)
    for (const index of kept) {
      const into = new Uint8Array(MiB)
      await client.get({ object: object.publicKey, segment: 0, index }, into)
      assert.deepEqual(into, shard(index))
    }
    // Not a byte is left for the index now: a small shard and a commit are refused, and said to be.
    let filler = 0
    try {
      for (; ; filler++) writeFileSync(join(mount, `filler-${filler}`), new Uint8Array(4096))
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
    }
    await rejects(
      client.put({ object: object.publicKey, segment: 1, index: 0 }, new Uint8Array(200_000)),
      'E_DISK_FULL',
    )
    for (let at = 0; at <= filler; at++) rmSync(join(mount, `filler-${at}`), { force: true })
    await client.commit(authorizeCommit(object, Date.now() + 60_000))
    await fixture.restart()
    assert.equal(fixture.holder.held().shards, kept.length)
  }
})

it('refuses before the first byte what would touch the reserve', { skip }, async (context) => {
  const mount = mkdtempSync(join(tmpdir(), 'weft-reserve-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'weft-test', mount])
  context.after(() => {
    execFileSync('umount', [mount])
    rmSync(mount, { recursive: true, force: true })
  })
  {
    await using fixture = await holderFixture({ root: mount, quotaBytes: 1024 * MiB, reserveBytes: 8 * MiB })
    await using client = fixture.connect()
    const object = newObject().publicKey
    await client.put({ object, segment: 0, index: 0 }, new Uint8Array(2 * MiB))
    await rejects(client.put({ object, segment: 0, index: 1 }, new Uint8Array(2 * MiB)), 'E_DISK_FULL')
    assert.equal(fixture.holder.held().shards, 1)
    assert.ok((await fixture.holder.store.free()) >= 0)
  }
})

it(
  'a disk without a byte left lets go of what its owners remove, and of what nobody committed',
  { skip },
  async (context) => {
    const mount = mkdtempSync(join(tmpdir(), 'weft-removal-'))
    const disk = new SmallDisk(mount, 32)
    context.after(() => {
      disk[Symbol.dispose]()
      rmSync(mount, { recursive: true, force: true })
    })
    {
      const clock = new VirtualClock(Date.now())
      await using fixture = await holderFixture({ root: mount, clock, quotaBytes: 1024 * MiB, reserveBytes: 0 })
      const objects = Array.from({ length: 12 }, () => newObject())
      const [abandoned, ...committed] = objects as [SigningKey, ...SigningKey[]]
      {
        await using client = fixture.connect()
        for (const object of objects) {
          // Small ones, of which none gives the disk anything back when it goes.
          for (let index = 0; index < 8; index++) {
            await client.put({ object: object.publicKey, segment: 0, index }, new Uint8Array(5_000).fill(index))
          }
          if (object !== abandoned) await client.commit(authorizeCommit(object, clock.now() + 86_400_000))
        }
      }
      disk.fill()
      assert.equal(disk.free, 0)
      await until(async () => {
        await clock.advance(15_000)
        return fixture.holder.held().shards === 88
      }, 'the abandoned shards are gone')
      await using client = fixture.connect()
      await rejects(
        client.put({ object: newObject().publicKey, segment: 0, index: 0 }, new Uint8Array(9)),
        'E_DISK_FULL',
      )
      for (const object of committed.slice(0, 5)) {
        const { shards } = await client.remove(authorizeRemove(object, clock.now() + 86_400_000))
        assert.equal(shards, 8)
      }
      for (const object of committed.slice(5)) await client.release(authorizeRelease(object))
      assert.equal(fixture.holder.held().shards, 0)
      await fixture.restart()
      assert.equal(fixture.holder.held().shards, 0)
      await using again = fixture.connect()
      await rejects(
        again.put({ object: committed[0]!.publicKey, segment: 0, index: 0 }, new Uint8Array(9)),
        'E_OBJECT_REMOVED',
      )
      // With room again the reserve is taken again, before anything is put.
      disk.empty()
      await until(async () => {
        await clock.advance(30_000)
        return statSync(join(mount, 'shards/reserve')).size === RESERVE
      }, 'the reserve was filled')
      await again.put({ object: newObject().publicKey, segment: 0, index: 0 }, new Uint8Array(9))
    }
  },
)
