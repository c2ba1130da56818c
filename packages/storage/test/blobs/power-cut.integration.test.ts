import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { randomInt, seededRandom } from '@weft/core'
import { KillWriter, bundleWriter, checkStore } from './kill-rounds.ts'

const root = process.getuid?.() === 0
const skip = root || process.env['CI'] !== undefined ? false : 'power cut: needs root to mount an image'
/** Of e2fsprogs. */
const MKFS = 'mkfs.ext4'
const CUTS = 5
const IMAGE = 256 * 1024 * 1024

/** A file system on a file; what was not flushed is in the memory of the kernel, and not in the file. */
function mount(image: string, at: string): Disposable {
  mkdirSync(at, { recursive: true })
  // The kernel writes out by itself what nobody flushes after ten minutes only.
  execFileSync('mount', ['-o', 'loop,commit=600', image, at])
  return { [Symbol.dispose]: () => execFileSync('umount', [at]) }
}

it(`has all that it acknowledged after ${CUTS} power cuts`, { skip, timeout: 240_000 }, async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-power-'))
  const program = await bundleWriter()
  context.after(() => {
    rmSync(program)
    rmSync(directory, { recursive: true, force: true })
  })
  const random = seededRandom(Date.now())
  let [shards, lost] = [0, 0]
  for (let cut = 0; cut < CUTS; cut++) {
    const [image, after] = [join(directory, 'disk.img'), join(directory, 'after.img')]
    writeFileSync(image, '')
    truncateSync(image, IMAGE)
    execFileSync(MKFS, ['-q', '-F', image])
    const at = join(directory, 'disk')
    const answers = await (async () => {
      using _disk = mount(image, at)
      const written = await new KillWriter(program).run(
        at,
        cut * 100_000,
        Date.now() + 3_600_000,
        20 + randomInt(random, 60),
      )
      // Nobody flushes this one: that it is not there afterwards shows that what follows is a power cut.
      writeFileSync(join(at, 'shards/not-flushed'), new Uint8Array(100_000).fill(1))
      copyFileSync(image, after)
      return written
    })()
    using _disk = mount(after, join(directory, 'after'))
    const found = await checkStore(join(directory, 'after'), answers)
    shards += found.shards
    const bytes = statSync(join(directory, 'after/shards/not-flushed'), { throwIfNoEntry: false })?.size ?? 0
    if (bytes === 0) lost++
    await found.fixture[Symbol.asyncDispose]()
  }
  assert.ok(shards > CUTS)
  assert.equal(lost, CUTS)
  context.diagnostic(`${shards} shards were there as answered`)
})
