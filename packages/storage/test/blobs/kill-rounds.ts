import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { createInterface } from 'node:readline'
import { seededRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { build } from 'esbuild'
import { rejects } from '../holder/holder-fixture.ts'
import { bytesOf, lengths } from './kill-bytes.ts'
import { type StoreFixture, storeFixture } from './blob-store-fixture.ts'

export function objectOf(number: number): Uint8Array {
  return new SigningKey(seededRandom(number).bytes(32)).publicKey
}

/** What was answered about each object before the kill. */
export type Answers = ReadonlyMap<number, ReadonlySet<string>>

/** The program of the writers in one file, which starts in a fifth of the time. Remove it in the end. */
export async function bundleWriter(): Promise<string> {
  // Beside the addon that it loads.
  const outfile = join(import.meta.dirname, '../../../../node_modules/.cache', `weft-kill-${process.pid}.mjs`)
  await build({
    entryPoints: [join(import.meta.dirname, 'kill-writer.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['sodium-native'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  })
  return outfile
}

/** A holder with clients in a process of its own, that can be started before it is needed. */
export class KillWriter {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>

  /** @param program of {@link bundleWriter} */
  constructor(program: string) {
    this.#child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
  }

  /** Lets it write in `directory` until it gave `lines` answers, and kills it. @param first the number of its first object */
  async run(directory: string, first: number, expiresAt: number, lines: number): Promise<Answers> {
    const answers = new Map<number, Set<string>>()
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.stdin.end(`${directory} ${first} ${expiresAt}\n`)
    let seen = 0
    for await (const line of createInterface({ input: this.#child.stdout })) {
      if (++seen === lines) this.#child.kill('SIGKILL')
      const [number = '', what = ''] = line.split(' ')
      const said = answers.get(Number(number)) ?? new Set()
      answers.set(Number(number), said.add(what))
    }
    await ended
    assert.ok(seen >= lines, `the writer ended by itself after ${seen} answers`)
    return answers
  }

  /** Ends one that was not needed. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** Opens the store that was killed and looks whether every answer holds. Resolves with how many shards were there as they had to be. */
export async function checkStore(
  directory: string,
  answers: Answers,
  indexLost = false,
): Promise<{ fixture: StoreFixture; shards: number }> {
  const fixture = await storeFixture({ directory: join(directory, 'shards'), quotaBytes: 2 ** 33 })
  let shards = 0
  for (const [number, said] of answers) shards += await checkObject(fixture, number, said, indexLost)
  // Nothing half-written stays: all that is there is whole, and no file is there that is no shard.
  assert.equal(await fixture.store.scrub(new AbortController().signal), 0)
  assert.equal(globSync(join(fixture.directory, 'large/new/*')).length, 0)
  const files = globSync(join(fixture.directory, 'large/*/*')).filter((path) => statSync(path).isFile()).length
  assert.ok(files <= fixture.store.held.shards)
  return { fixture, shards }
}

async function checkObject(
  { store }: StoreFixture,
  number: number,
  said: ReadonlySet<string>,
  indexLost: boolean,
): Promise<number> {
  const object = objectOf(number)
  if (said.has('released') || said.has('removed')) {
    assert.deepEqual(store.list(object, 0, 9, 9), [], `object ${number} was gone`)
    if (said.has('removed')) {
      await rejects(store.begin({ object, segment: 0, index: 0 }, 9, 'peer'), 'E_OBJECT_REMOVED')
    }
    return 0
  }
  // Its owner's word may have been carried out, and the answer lost.
  if (said.has('leaving')) return 0
  // What was not committed does not come back without the index.
  if (indexLost && !said.has('committed')) return 0
  let shards = 0
  for (const segment of lengths.keys()) {
    if (!said.has(`put${segment}`)) continue
    const bytes = bytesOf(number, segment)
    const pieces = await Array.fromAsync(store.read({ object, segment, index: 0 }).bytes)
    assert.deepEqual(Buffer.concat(pieces).equals(bytes), true, `segment ${segment} of object ${number}`)
    shards++
  }
  return shards
}
