import assert from 'node:assert/strict'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { randomInt, seededRandom } from '@weft/core'
import { KillWriter, bundleWriter, checkStore, objectOf } from './kill-rounds.ts'

/** Each so many rounds the index is lost as well. */
const LOSE_INDEX = 10
/** Numbers of objects that one round may use. */
const ROUND = 100_000
const HOUR = 3_600_000

/** Kills a holder under write again and again, on one directory, and looks after each kill whether all that it answered holds. */
export async function killUnderWrite(context: TestContext, kills: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'weft-kill-'))
  const seed = Date.now()
  const random = seededRandom(seed)
  const program = await bundleWriter()
  let next = new KillWriter(program)
  context.after(() => {
    next.kill()
    rmSync(program)
    rmSync(directory, { recursive: true, force: true })
  })
  let shards = 0
  for (let round = 0; round < kills; round++) {
    const writer = next
    next = new KillWriter(program)
    const answers = await writer.run(directory, round * ROUND, Date.now() + HOUR, 5 + randomInt(random, 60))
    const indexLost = round % LOSE_INDEX === LOSE_INDEX - 1
    if (indexLost) for (const path of globSync(join(directory, 'shards/index.sqlite*'))) rmSync(path)
    const found = await checkStore(directory, answers, indexLost)
    shards += found.shards
    const { store } = found.fixture
    for (const number of answers.keys()) await store.release(objectOf(number))
    for (const { object, peer } of store.provisional()) await store.drop(object, peer)
    await found.fixture[Symbol.asyncDispose]()
  }
  context.diagnostic(`${shards} shards were there as answered; seed ${seed}`)
  assert.ok(shards > kills, `only ${shards} shards were tried`)
}
