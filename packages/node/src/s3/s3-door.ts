import { type Clock, type Logger, toHex, utf8 } from '@weft/core'
import { type DidKey, sha256 } from '@weft/crypto'
import type { S3Server } from '@weft/s3'
import type { PersonStorage } from '@weft/storage'
import type { SettingValues } from '../config/settings.ts'
import { portError } from '../daemon/port-error.ts'
import type { S3KeyGrant, S3KeyInfo, S3Keys } from './s3-keys.ts'

/** The port of S3, counted from ports.base (docs/specs/cli.md, Ports). */
export const S3 = 2

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS']

interface S3DoorParts {
  readonly values: Pick<SettingValues, 's3.server' | 's3.listen_host' | 's3.domains' | 'ports.base'>
  readonly keys: S3Keys
  readonly buckets: PersonStorage['buckets']
  readonly person: DidKey
  readonly clock: Clock
  readonly logger: Logger
}

interface S3Status {
  /** `down`: nobody listens, since there is no key or the setting says so. */
  readonly state: 'up' | 'down'
  readonly host: string
  readonly port: number
  readonly keys: number
  /** Requests under way. */
  readonly running: number
}

/** Answers of the server since the start, by method and status; both are of small sets. */
interface S3Answers {
  readonly method: string
  readonly status: number
  readonly count: number
}

/**
 * The S3 server of this person's buckets, open while it is wanted: by default as long as there is a key. Without one it
 * could answer nobody, so no port is taken, and no code loaded.
 */
export class S3Door implements AsyncDisposable {
  readonly #parts: S3DoorParts
  readonly #answers = new Map<string, S3Answers>()
  #server: S3Server | undefined
  /** Changes follow each other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws WeftError E_PORT_TAKEN, E_PORT_UNUSABLE */
  static async open(parts: S3DoorParts): Promise<S3Door> {
    const door = new S3Door(parts)
    await door.#settle(parts.keys.size)
    return door
  }

  private constructor(parts: S3DoorParts) {
    this.#parts = parts
  }

  status(): S3Status {
    return {
      state: this.#server === undefined ? 'down' : 'up',
      host: this.#parts.values['s3.listen_host'],
      port: this.#port,
      keys: this.#parts.keys.size,
      running: this.#server?.requests ?? 0,
    }
  }

  answers(): readonly S3Answers[] {
    return [...this.#answers.values()]
  }

  keys(): readonly S3KeyInfo[] {
    return this.#parts.keys.list()
  }

  /** The server is up before the key is made. @throws WeftError E_PORT_TAKEN, E_PORT_UNUSABLE, and as `S3Keys.create` */
  create(grant: S3KeyGrant): Promise<ReturnType<S3Keys['create']>> {
    const { keys } = this.#parts
    return this.#inTurn(async () => {
      await this.#settle(keys.size + 1)
      try {
        return keys.create(grant)
      } finally {
        await this.#settle(keys.size)
      }
    })
  }

  /** @throws WeftError as `S3Keys.revoke` */
  revoke(which: string): Promise<S3KeyInfo> {
    const { keys } = this.#parts
    return this.#inTurn(async () => {
      const revoked = keys.revoke(which)
      await this.#settle(keys.size)
      return revoked
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(() => this.#close())
    this.#parts.keys[Symbol.dispose]()
  }

  get #port(): number {
    return this.#parts.values['ports.base'] + S3
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(task)
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** @param keys how many there are */
  async #settle(keys: number): Promise<void> {
    const wish = this.#parts.values['s3.server']
    if (wish === 'on' || (wish === 'auto' && keys > 0)) await this.#listen()
    else await this.#close()
  }

  async #listen(): Promise<void> {
    if (this.#server !== undefined) return
    const { values, keys, buckets, person, clock, logger } = this.#parts
    const { S3Server } = await import('@weft/s3')
    try {
      this.#server = await S3Server.open({
        host: values['s3.listen_host'],
        port: this.#port,
        buckets,
        credentials: keys,
        owner: { id: toHex(sha256(utf8(person))), name: 'weft' },
        domains: [...values['s3.domains'], 's3.localhost', 'localhost'],
        clock,
        logger,
        onAnswer: (method, status) => this.#count(method, status),
      })
    } catch (error) {
      throw portError(error, this.#port, `ports.base + ${S3}`)
    }
    logger.info('the S3 server listens', { host: values['s3.listen_host'], port: this.#port })
  }

  async #close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.[Symbol.asyncDispose]()
  }

  #count(given: string, status: number): void {
    const method = METHODS.includes(given) ? given : 'other'
    const name = `${method} ${status}`
    this.#answers.set(name, { method, status, count: (this.#answers.get(name)?.count ?? 0) + 1 })
  }
}
