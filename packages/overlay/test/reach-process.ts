import { readFileSync } from 'node:fs'
import { Scope, silentLogger, systemClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { type Role, createOverlay, parseNetworkFile } from '../src/index.ts'

/** What a test asks of such a process, as JSON in its argument. */
export interface ReachNodeOptions {
  readonly networkFile: string
  /** Hex of the 32 bytes of its key. */
  readonly seed: string
  readonly roles: readonly Role[]
  readonly port: number
  readonly directory: string
}

/** What it says of itself, one line of JSON each half second. */
export interface ReachNodeState {
  readonly reach: { readonly state: string; readonly fault?: { readonly code: string } }
  readonly admission: { readonly state: string }
  readonly peers: readonly {
    readonly id: string
    readonly state: string
    readonly relayed?: true
    readonly fault: { readonly cause: string } | undefined
  }[]
}

const options = JSON.parse(process.argv[2] ?? '{}') as ReachNodeOptions
const scope = new Scope({ name: 'reach node' })
const isClient = options.roles.includes('client')
const overlay = await createOverlay({
  network: parseNetworkFile(readFileSync(options.networkFile, 'utf8')),
  key: new SigningKey(Uint8Array.fromHex(options.seed)),
  roles: options.roles,
  listen: isClient ? [] : [{ host: '0.0.0.0', port: options.port }],
  ...(options.roles.includes('relay')
    ? { packets: { port: options.port + 2, linkKey: new Uint8Array(32).fill(1), onionKey: new Uint8Array(32).fill(2) } }
    : {}),
  family: options.seed.slice(0, 8),
  directory: options.directory,
  clock: systemClock,
  logger: silentLogger,
  scope,
})
const timer = setInterval(() => {
  const state: ReachNodeState = { reach: overlay.reach(), admission: overlay.admission(), peers: overlay.peers() }
  process.stdout.write(`${JSON.stringify(state)}\n`)
}, 500)
process.once('SIGTERM', () => {
  clearInterval(timer)
  void scope.close()
})
