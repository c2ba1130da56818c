import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { VirtualClock, isWeftError } from '@weft/core'
import type { Buckets } from '../../src/buckets/buckets.ts'
import { testCoding } from '../support/test-storage.ts'
import { bucketWorld, once, textOf, turns } from './bucket-fixture.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

/** All kinds of change, each noted when it was acknowledged. */
async function work(buckets: Buckets, done: (name: string) => void): Promise<void> {
  await buckets.create('one')
  done('bucket')
  await buckets.put('one', 'a', once('first'))
  done('a')
  await buckets.copy({ bucket: 'one', key: 'a' }, { bucket: 'one', key: 'b' })
  done('b')
  await buckets.put('one', 'a', once('second'))
  done('a again')
  await buckets.change('one', { versioning: 'enabled' })
  await buckets.remove('one', 'b')
  done('b removed')
  const { id } = await buckets.startUpload('one', 'c')
  const part = await buckets.putPart('one', 'c', id, 1, once('third'))
  await buckets.putPart('one', 'c', id, 2, once('not named'))
  await buckets.completeUpload('one', 'c', id, [part])
  done('c')
  await buckets.remove('one', 'a', 'null')
  done('a removed')
}

async function textAt(buckets: Buckets, key: string): Promise<string | undefined> {
  try {
    return await textOf((await buckets.get('one', key)).body)
  } catch (error) {
    if (isWeftError(error, 'E_KEY_UNKNOWN') || isWeftError(error, 'E_BUCKET_UNKNOWN')) return undefined
    throw error
  }
}

test('killed before any of its writes it has what was acknowledged, and nothing that nobody names', async (t) => {
  let writes = 0
  for (let last = 1; ; last++) {
    const world = bucketWorld(t, new VirtualClock(1e12), coding)
    const done = new Set<string>()
    let killed = false
    writes = 0
    {
      await using open = await world.open(() => {
        if (++writes < last && !killed) return
        killed = true
        throw new Error('killed')
      })
      await work(open.buckets, (name) => void done.add(name)).catch((error: unknown) =>
        assert.ok(killed, String(error)),
      )
      // What is removed in the background writes as well.
      await turns(() => killed || open.storage.list().length === 2)
    }
    await using open = await world.open()
    const { buckets, storage } = open
    const a = await textAt(buckets, 'a')
    const b = await textAt(buckets, 'b')
    const c = await textAt(buckets, 'c')
    if (done.has('a removed')) assert.equal(a, undefined)
    else if (done.has('a again')) assert.ok(a === 'second' || a === undefined)
    else if (done.has('a')) assert.ok(a === 'first' || a === 'second')
    if (done.has('b removed')) assert.equal(b, undefined)
    else if (done.has('b')) assert.ok(b === 'first' || b === undefined)
    if (done.has('c')) assert.equal(c, 'third')
    // Each object of storage is named by a version or a part that is still there.
    const named = (): number => {
      if (buckets.all().length === 0) return 0
      const { entries } = buckets.listVersions('one')
      const etags = new Set(entries.filter((one) => !one.isDeleteMarker).map((one) => one.etag.replace(/-1$/, '')))
      const parts = buckets.uploads('one').uploads.flatMap(({ id }) => buckets.parts('one', 'c', id))
      return etags.size + parts.length
    }
    await turns(() => storage.list().length === named())
    assert.equal(storage.list().length, named(), `killed before write ${last}`)
    if (!killed) break
  }
  assert.ok(writes > 40, `${writes} writes`)
})
