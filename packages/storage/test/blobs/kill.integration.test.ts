import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { it } from 'node:test'
import { Scope, randomInt, seededRandom, silentLogger, systemClock } from '@weft/core'
import { BlobStore } from '../../src/blobs/blob-store.ts'

const KILLS = Number(process.env['WEFT_LONG'] ?? 0) > 0 ? 200 : 20

it(`loses nothing acknowledged in ${KILLS} kills under write`, { timeout: KILLS * 10_000 }, async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-kill-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  const random = seededRandom(Date.now())
  let acknowledged = 0
  for (let round = 0; round < KILLS; round++) {
    const expected = await writeAndKill(directory, round, 10 + randomInt(random, 60))
    acknowledged += expected.size
    await using scope = new Scope({ name: 'test' })
    const store = await BlobStore.open({
      directory,
      quotaBytes: 2 ** 33,
      reserveBytes: 0,
      isMember: () => true,
      clock: systemClock,
      logger: silentLogger,
      scope,
    })
    for (const { seed, segment, length } of expected.values()) {
      const shard = store.read({ object: seededRandom(seed).bytes(32), segment, index: 0 })
      assert.equal(shard.length, length)
      for await (const piece of shard.bytes) assert.ok(piece.every((byte) => byte === (seed + segment) % 251))
    }
    // Nothing half-written stays: every file belongs to a shard, and whole ones are all there is.
    assert.equal(await store.scrub(new AbortController().signal), 0)
    const files = globSync(join(directory, 'large/*/*')).filter((path) => statSync(path).isFile()).length
    const large = globSync(join(directory, 'large/new/*')).length
    assert.equal(large, 0)
    assert.ok(files <= store.held.shards)
    for (const { seed } of expected.values()) await store.release(seededRandom(seed).bytes(32))
    for (const { object, peer } of store.provisional()) await store.drop(object, peer)
  }
  assert.ok(acknowledged > KILLS, `only ${acknowledged} acknowledged writes were tried`)
})

interface Expected {
  readonly seed: number
  readonly segment: number
  readonly length: number
}

/** Runs the writer until it has acknowledged `lines` writes, kills it, and says what has to be there. */
async function writeAndKill(directory: string, round: number, lines: number): Promise<Map<string, Expected>> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'kill-writer.ts'), directory, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const expected = new Map<string, Expected>()
  const released = new Set<number>()
  let seen = 0
  for await (const line of createInterface({ input: child.stdout })) {
    if (++seen === lines) child.kill('SIGKILL')
    const [seed = Number.NaN, segment = 0, length = 0, kind = 0] = line.split(' ').map(Number)
    if (Number.isNaN(seed)) continue
    if (kind === 2) {
      released.add(seed)
      continue
    }
    if (kind === 0) expected.set(`${seed}/${segment}`, { seed, segment, length })
    // From its fifth object on a writer releases it after the commit: it may be gone before we hear of it.
    if (kind === 1 && (seed % 10_000) % 5 === 4) released.add(seed)
  }
  for (const [key, { seed }] of expected) if (released.has(seed)) expected.delete(key)
  return expected
}
