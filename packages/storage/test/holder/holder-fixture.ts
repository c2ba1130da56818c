import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, Scope, isWeftError, silentLogger, systemClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import assert from 'node:assert/strict'
import { type Holder, type HolderOptions, createHolder } from '../../src/holder/create-holder.ts'
import { ShardClient } from '../../src/holder/shard-client.ts'
import { TestStreams } from './stream-pair.ts'

export const MiB = 1024 * 1024

export interface Fixture extends AsyncDisposable {
  readonly directory: string
  readonly holder: Holder
  readonly streams: TestStreams
  readonly peer: SigningKey
  connect(from?: SigningKey): ShardClient
  /** Closes the holder and opens it again on the same directory. */
  restart(): Promise<void>
}

/** A real holder on a temporary directory. */
export async function holderFixture(
  options: Partial<HolderOptions> & { root?: string; clock?: Clock } = {},
): Promise<Fixture> {
  const directory = options.root ?? mkdtempSync(join(tmpdir(), 'weft-holder-'))
  const peer = SigningKey.generate()
  const self = SigningKey.generate()
  let scope: Scope
  const open = async (): Promise<{ holder: Holder; streams: TestStreams }> => {
    scope = new Scope({ name: 'test' })
    const streams = new TestStreams(self.id)
    const holder = await createHolder({
      streams,
      directory: join(directory, 'shards'),
      quotaBytes: 64 * MiB,
      reserveBytes: 0,
      clock: systemClock,
      logger: silentLogger,
      scope,
      ...options,
    })
    return { holder, streams }
  }
  let { holder, streams } = await open()
  return {
    directory,
    peer,
    get holder() {
      return holder
    },
    get streams() {
      return streams
    },
    connect: (from = peer) => new ShardClient(streams.connect(from.id)),
    async restart() {
      await scope.close()
      ;({ holder, streams } = await open())
    },
    async [Symbol.asyncDispose]() {
      await scope.close()
      if (options.root === undefined) rmSync(directory, { recursive: true, force: true })
    },
  }
}

export async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(
    promise,
    (error: unknown) => isWeftError(error, code) || assert.fail(`${String(error)} in place of ${code}`),
  )
}

export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `20 s went by before ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
