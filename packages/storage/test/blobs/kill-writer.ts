import { Scope, seededRandom, silentLogger, systemClock } from '@weft/core'
import { BlobStore } from '../../src/blobs/blob-store.ts'

/**
 * The child of the kill test: writes shards without end, small and large, and prints one line after each that was
 * acknowledged: `<object's number> <segment> <length> <committed>`. The bytes follow from these numbers.
 */
const [directory = '', round = '0'] = process.argv.slice(2)
const scope = new Scope({ name: 'child' })
const store = await BlobStore.open({
  directory,
  quotaBytes: 2 ** 33,
  reserveBytes: 0,
  isMember: () => true,
  clock: systemClock,
  logger: silentLogger,
  scope,
})
process.stdout.write('ready\n')
const writers = Array.from({ length: 6 }, async (_, writer) => {
  for (let number = 0; ; number++) {
    const seed = Number(round) * 1_000_000 + writer * 10_000 + number
    const object = seededRandom(seed).bytes(32)
    for (let segment = 0; segment < 3; segment++) {
      const length = [3_000, 280_000, 70_000][segment] ?? 1
      const bytes = new Uint8Array(length).fill((seed + segment) % 251)
      const put = await store.begin({ object, segment, index: 0 }, length, 'peer')
      await put.write(bytes)
      await put.finish()
      process.stdout.write(`${seed} ${segment} ${length} 0\n`)
    }
    await store.commit(object, 'peer', Date.now() + 3_600_000)
    process.stdout.write(`${seed} 0 3000 1\n`)
    if (number % 5 === 4) await store.release(object).then(() => process.stdout.write(`${seed} 0 0 2\n`))
  }
})
await Promise.all(writers)
