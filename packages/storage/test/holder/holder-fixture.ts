import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, Scope, isWeftError, silentLogger, systemClock, toHex } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import type { ByteStream } from '@weft/overlay'
import assert from 'node:assert/strict'
import { type Holder, type HolderOptions, createHolder } from '../../src/holder/create-holder.ts'
import { authorizePut } from '../../src/holder/shard-authorization.ts'
import { ShardClient } from '../../src/holder/shard-client.ts'
import { TestStreams } from './stream-pair.ts'

export const MiB = 1024 * 1024

const owners = new Map<string, SigningKey>()

/** The key of an object that clients of the fixture put for its owner. */
export function newObject(): SigningKey {
  const key = SigningKey.generate()
  owners.set(toHex(key.publicKey), key)
  return key
}

/** A client to which the owners of all objects of {@link newObject} gave their word. */
class AuthorizedClient extends ShardClient {
  readonly #self: DidKey

  constructor(stream: ByteStream, self: DidKey) {
    super(stream)
    this.#self = self
  }

  override put(...given: Parameters<ShardClient['put']>): Promise<void> {
    const owner = owners.get(toHex(given[0].object))
    if (owner !== undefined) this.authorize(authorizePut(owner, this.#self))
    return super.put(...given)
  }
}

export interface Fixture extends AsyncDisposable {
  readonly directory: string
  readonly holder: Holder
  readonly streams: TestStreams
  readonly peer: SigningKey
  connect(from?: SigningKey): ShardClient
  /** Closes the holder and opens it again on the same directory. */
  restart(between?: () => void): Promise<void>
}

/** A real holder on a temporary directory. */
export async function holderFixture(
  options: Partial<HolderOptions> & { root?: string; clock?: Clock } = {},
): Promise<Fixture> {
  const directory = options.root ?? mkdtempSync(join(tmpdir(), 'weft-holder-'))
  const peer = SigningKey.generate()
  const self = options.key ?? SigningKey.generate()
  let scope: Scope
  const open = async (): Promise<{ holder: Holder; streams: TestStreams }> => {
    scope = new Scope({ name: 'test' })
    const streams = new TestStreams(self.id)
    const holder = await createHolder({
      streams,
      directory: join(directory, 'shards'),
      quotaBytes: 64 * MiB,
      reserveBytes: 0,
      key: self,
      isMember: () => true,
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
    connect: (from = peer) => new AuthorizedClient(streams.connect(from.id), from.id),
    async restart(between) {
      await scope.close()
      between?.()
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
