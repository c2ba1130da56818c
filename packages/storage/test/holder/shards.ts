import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '@weft/core'
import type { Fixture } from './holder-fixture.ts'

/** Shards for the tests of a holder, and looks at what it has. */

const random = seededRandom(1)
const HOUR = 3_600_000

/** An expiry that is not over before the test. */
export const later = (): number => Date.now() + HOUR

/** Goes into a log. */
export const small = random.bytes(10_000)
/** Goes into a file of its own. */
export const large = random.bytes(700_001)

/** Shards that have a file of their own. */
export function files(fixture: Fixture): number {
  const paths = globSync(join(fixture.directory, 'shards/large/*/*'))
  // One may go in between.
  return paths.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true).length
}

/** Gets a shard over a connection of its own. */
export async function got(
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
