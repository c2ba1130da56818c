import { after, before } from 'node:test'
import type * as s3 from '@aws-sdk/client-s3'
import { type TestServer, openServer } from './open-server.ts'
import { answerOf, signedHead } from './raw-requests.ts'
import { sdkClient } from './sdk-client.ts'

export interface RawParts {
  readonly headers?: Readonly<Record<string, string>>
  readonly unsigned?: Readonly<Record<string, string>>
  /** A character for each byte. */
  readonly body?: string
}

/** What the cases of a file share: a server, a client, and buckets that no other case has. */
export class CaseWorld {
  #server: TestServer | undefined
  #client: s3.S3 | undefined
  #buckets = 0

  constructor() {
    before(async () => {
      this.#server = await openServer()
      this.#client = sdkClient(this.#server)
    })
    after(async () => {
      this.#client?.destroy()
      await this.#server?.[Symbol.asyncDispose]()
    })
  }

  get server(): TestServer {
    if (this.#server === undefined) throw new Error('the tests of this file have not begun')
    return this.#server
  }

  get client(): s3.S3 {
    if (this.#client === undefined) throw new Error('the tests of this file have not begun')
    return this.#client
  }

  /** A name that no bucket has. */
  name(): string {
    return `case-${++this.#buckets}`
  }

  /** A new bucket, with these keys, of which each has its name as its bytes. */
  async bucket(keys: readonly string[] = []): Promise<string> {
    const Bucket = this.name()
    await this.client.createBucket({ Bucket })
    for (const Key of keys) await this.client.putObject({ Bucket, Key, Body: Key })
    return Bucket
  }

  /** A new bucket that keeps versions. */
  async versioned(): Promise<string> {
    const Bucket = await this.bucket()
    await this.versioning(Bucket, 'Enabled')
    return Bucket
  }

  async versioning(Bucket: string, Status: 'Enabled' | 'Suspended'): Promise<void> {
    await this.client.putBucketVersioning({ Bucket, VersioningConfiguration: { Status } })
  }

  put(Bucket: string, Key: string, Body: string | Uint8Array = '', more: Partial<s3.PutObjectCommandInput> = {}) {
    return this.client.putObject({ Bucket, Key, Body: Buffer.from(Body), ContentLength: Body.length, ...more })
  }

  async text(Bucket: string, Key: string, more: Partial<s3.GetObjectCommandInput> = {}): Promise<string> {
    const { Body } = await this.client.getObject({ Bucket, Key, ...more })
    return (await Body?.transformToString()) ?? ''
  }

  /** A signed request with just these headers, and the whole answer. */
  async raw(method: string, url: string, { headers = {}, unsigned = {}, body = '' }: RawParts = {}): Promise<string> {
    const { text } = signedHead(this.server, method, url, { ...headers, connection: 'close' }, unsigned)
    return answerOf(this.server, text + body)
  }

  /** The same as it stands, signed by nobody. */
  async unsigned(method: string, url: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const all = { host: `127.0.0.1:${this.server.port}`, ...headers, connection: 'close' }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    return answerOf(this.server, `${method} ${url} HTTP/1.1\r\n${lines.join('')}\r\n`)
  }
}
