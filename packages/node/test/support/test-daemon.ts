import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { randomInt, systemRandom } from '@weft/core'
import { SigningKey, loadOrCreateKey } from '@weft/crypto'
import type { KillSwitchWish } from '@weft/vpn'
import { type Config, loadConfig } from '../../src/config/load-config.ts'
import { type Daemon, startDaemon } from '../../src/daemon/start-daemon.ts'
import { type FakeOverlay, createFakeOverlay } from './fake-overlay.ts'
import { type FakeStorage, createFakeStorage } from './fake-storage.ts'
import { type FakeVpn, createFakeVpn } from './fake-vpn.ts'

/** Ports that are looked at at once; a daemon has fewer. */
const BLOCK = 20
const given = new Set<number>()

export interface TestDaemon {
  readonly daemon: Daemon
  readonly home: string
  readonly socket: string
  readonly port: number
  readonly overlay: FakeOverlay
  readonly storage: FakeStorage
  readonly vpn: FakeVpn
  /** What profiles wanted of a kill switch, which is none of this machine; it fails where a test says with what. */
  readonly killSwitch: { readonly wishes: KillSwitchWish[]; refuse: Error | undefined }
  /** Times that the API asked to stop. */
  readonly stops: () => number
}

/**
 * A daemon in this process with real HTTP over a real socket and port, on an overlay and a storage that a test controls.
 * @param prepare puts into the home what has to be there at the start
 */
export async function startTestDaemon(
  t: TestContext,
  toml = '',
  prepare: (home: string) => void = () => {},
): Promise<TestDaemon> {
  const { config, home } = await testConfig(t, toml)
  prepare(home)
  let overlay: FakeOverlay | undefined
  let storage: FakeStorage | undefined
  let vpn: FakeVpn | undefined
  let stops = 0
  const killSwitch: TestDaemon['killSwitch'] = { wishes: [], refuse: undefined }
  const daemon = await startDaemon({
    config,
    loadComponents: async () => ({
      createOverlay: async (options) => (overlay = await createFakeOverlay(options)),
      createStorage: async (options) => (storage = await createFakeStorage(options)),
      createVpn: async (init) => (vpn = await createFakeVpn(init)),
      profileKillSwitch: () => async (wish) => {
        if (killSwitch.refuse !== undefined) throw killSwitch.refuse
        killSwitch.wishes.push(wish)
      },
      probes: () => [],
    }),
    onStop: () => stops++,
    signal: new AbortController().signal,
  })
  t.after(() => daemon.close())
  return {
    daemon,
    home,
    socket: join(home, 'api.sock'),
    port: daemon.ports['api']!,
    overlay: overlay!,
    storage: storage!,
    vpn: vpn!,
    killSwitch,
    stops: () => stops,
  }
}

/** A home with a network file, and the configuration of a client in it. */
export async function testConfig(t: TestContext, toml = ''): Promise<{ config: Config; home: string }> {
  const home = testDirectory(t)
  writeNetworkFile(join(home, 'network.json'), loadOrCreateKey(join(home, 'person.key')))
  writeFileSync(join(home, 'weft.toml'), toml)
  const config = await loadConfig(['--home', home, '--base-port', String(await freePort())], {})
  return { config, home }
}

export function testDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'weft-node-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** @param attester the person of the node */
function writeNetworkFile(path: string, attester: SigningKey): void {
  const validator = new SigningKey(new Uint8Array(32).fill(9))
  const file = {
    schemaVersion: 1,
    name: 'test',
    validators: [{ id: validator.id, addresses: ['/ip4/127.0.0.1/tcp/9'], roles: ['validator'], family: 'v' }],
    policy: 'open',
    attesters: [attester.id],
    mapEpochMs: 5_000,
    createdAt: 1_000,
  }
  writeFileSync(path, JSON.stringify(file))
}

/**
 * A port of loopback that is free, and so is what a daemon has beside it. Below those of networks that tests start as processes, which
 * come and go beside this; none is given twice.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 17_000 + BLOCK * randomInt(systemRandom, 200)
    if (given.has(port)) continue
    given.add(port)
    const ports = Array.from({ length: BLOCK }, (_, at) => port + at)
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  if (free) await new Promise((resolve) => server.close(resolve))
  return free
}
