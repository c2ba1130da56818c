import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { eventually } from './lib/eventually.ts'
import { weft, weftJson } from './lib/weft.ts'

// A network whose addresses are of IPv6, of real processes on loopback that leave network.listen_host as it is.

const BASE_PORT = 27_000
const directory = mkdtempSync(join(tmpdir(), 'weft-ipv6-'))
const homes = ['first', 'second'].map((name) => join(directory, name))
const [first = '', second = ''] = homes
const publicOf = (at: number): number => BASE_PORT + 20 * at + 10

function writeHome(at: number, more = ''): void {
  const home = homes[at] ?? ''
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const announce = at === 0 ? '' : `announce = ["/ip6/::1/tcp/${publicOf(at)}"]\n`
  const text = `[network]\n${announce}${more}[ports]\nbase = ${BASE_PORT + 20 * at}\npublic = ${publicOf(at)}\n[storage]\nreserve = 0\n`
  writeFileSync(join(home, 'weft.toml'), text)
}

const start = (home: string, roles: string): Promise<unknown> =>
  weftJson(['start', '--detach', '--home', home, '--roles', roles])

const certified = (home: string): Promise<unknown> =>
  eventually(
    `that ${home} is a member`,
    () => weftJson<{ readonly admission: { readonly state: string } }>(['status', '--home', home]),
    ({ admission }) => admission.state === 'certified',
  )

before(async () => {
  for (const at of [0, 1]) writeHome(at)
  const address = `/ip6/::1/tcp/${publicOf(0)}`
  await weftJson(['network', 'create', 'six', '--address', address, '--map-epoch', '1s', '--home', first])
  copyFileSync(join(first, 'network.json'), join(second, 'network.json'))
})

after(async () => {
  for (const home of homes) await weft(['stop', '--home', home])
  rmSync(directory, { recursive: true, force: true })
})

test('nodes that others are to reach by IPv6 listen there', async () => {
  await start(first, 'validator,storage')
  await start(second, 'storage')
  await certified(second)
})

test('one that is set to listen for IPv4 alone is told so', async () => {
  await weft(['stop', '--home', first])
  writeHome(0, 'listen_host = "0.0.0.0"\n')
  await start(first, 'validator,storage')
  const { code, stdout } = await weft(['check', '--home', first])
  assert.match(stdout, /FAIL {2}ports[^]*E_LISTEN_VERSION.*\n.*network\.listen_host/)
  assert.equal(code, 1)
})
