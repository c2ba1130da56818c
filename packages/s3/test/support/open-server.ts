import { randomBytes } from 'node:crypto'
import { type Logger, systemClock } from '@weft/core'
import type { Buckets } from '@weft/storage'
import { type Credential, S3Server } from '../../src/index.ts'
import { MemoryBuckets } from './memory-buckets.ts'

interface OpenBuckets extends AsyncDisposable {
  readonly buckets: Buckets
}

let openBuckets = async (): Promise<OpenBuckets> => ({
  buckets: new MemoryBuckets(),
  [Symbol.asyncDispose]: async () => {},
})

/** What servers are in front of from now on: the same tests hold for all buckets. */
export function testAgainst(open: () => Promise<OpenBuckets>): void {
  openBuckets = open
}

export interface TestServer extends AsyncDisposable {
  readonly endpoint: string
  readonly port: number
  readonly buckets: Buckets
  readonly keys: { readonly all: Credential; readonly reader: Credential; readonly one: Credential }
  /** All that was logged, as JSON. */
  readonly logged: string[]
}

function credential(name: string, scope: Credential['scope']): Credential {
  return { accessKeyId: name, secretAccessKey: randomBytes(30).toString('base64'), scope }
}

/** An S3 server on a free port of loopback, in front of buckets in memory unless told otherwise. */
export async function openServer(): Promise<TestServer> {
  const keys = {
    all: credential('WEFTALL', { buckets: 'all', access: 'write' }),
    reader: credential('WEFTREADER', { buckets: 'all', access: 'read' }),
    one: credential('WEFTONE', { buckets: new Set(['only-this']), access: 'write' }),
  }
  const logged: string[] = []
  const log = (message: string, fields: unknown): void => void logged.push(JSON.stringify([message, fields]))
  const logger: Logger = { debug: log, info: log, warn: log, error: log }
  const opened = await openBuckets()
  const { buckets } = opened
  const server = await S3Server.open({
    host: '127.0.0.1',
    port: 0,
    buckets,
    credentials: { find: (id) => Object.values(keys).find(({ accessKeyId }) => accessKeyId === id) },
    owner: { id: 'a'.repeat(64), name: 'weft' },
    clock: systemClock,
    logger,
  })
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    port: server.port,
    buckets,
    keys,
    logged,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]()
      await opened[Symbol.asyncDispose]()
    },
  }
}
