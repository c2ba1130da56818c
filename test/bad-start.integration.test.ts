import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { libfaketime, skipWithout } from './lib/needs.ts'
import { SmallDisk } from './lib/small-disk.ts'
import { type Finished, type User, weft, weftJson } from './lib/weft.ts'

// What a person meets who starts a node wrongly: each time an error with code, cause and fix, and nothing left behind.

const BASE_PORT = 26_300
/** `nobody` of Debian and its kin. */
const NOBODY: User = { uid: 65_534, gid: 65_534 }

describe('a start that cannot succeed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-bad-'))
  const home = join(directory, 'home')
  const config = join(home, 'weft.toml')
  const network = join(home, 'network.json')
  const genesis = join(directory, 'network.json')
  const ports = ['--base-port', String(BASE_PORT), '--public-port', String(BASE_PORT + 10)]
  /** The same start as a person makes it, and in the background. */
  const starts = (where = home): Promise<Finished>[] => [
    weft(['start', '--home', where, ...ports]),
    weft(['start', '--home', where, ...ports, '--detach']),
  ]

  before(async () => {
    const maker = join(directory, 'maker')
    await weftJson(['network', 'create', 'bad', '--address', '/ip4/192.0.2.1/tcp/4780', '--home', maker])
    copyFileSync(join(maker, 'network.json'), genesis)
    mkdirSync(home, { mode: 0o700 })
    copyFileSync(genesis, network)
  })
  after(() => {
    assert.deepEqual(findNodeProcesses(directory), [])
    rmSync(directory, { recursive: true })
  })

  for (const [what, text, expected] of [
    [
      'a syntax error',
      '[storage]\nquota = \n',
      /E_CONFIG_INVALID: \S+weft\.toml is not valid TOML in line 2, column \d+/,
    ],
    [
      'an unknown key',
      '[storage]\nqotta = "1 GiB"\n',
      /E_CONFIG_UNKNOWN: .*'storage\.qotta'.*\n?.*Fix: Did you mean 'storage\.quota'/,
    ],
    [
      'a wrong type',
      '[storage]\nquota = true\n',
      /E_CONFIG_INVALID: storage\.quota in \S+ must be a size .* and is true/,
    ],
  ] as const) {
    test(`weft.toml with ${what}`, async (context) => {
      writeFileSync(config, text)
      context.after(() => rmSync(config))
      for (const { code, stderr } of await Promise.all(starts())) {
        assert.match(stderr, expected)
        assertFix(stderr)
        assert.equal(code, 2)
      }
    })
  }

  for (const [what, text, expected] of [
    ['cut off', '{"schemaVersion":1', /E_NETWORK_FILE: \S+network\.json: .*it is not JSON/],
    ['of a later version', '{"schemaVersion":99}', /E_NETWORK_FILE: \S+network\.json: .*schemaVersion .* and is 99/],
    ['missing', undefined, /E_NETWORK_FILE_MISSING: There is no network file at \S+network\.json/],
  ] as const) {
    test(`a network file that is ${what}`, async (context) => {
      if (text === undefined) rmSync(network)
      else writeFileSync(network, text)
      context.after(() => copyFileSync(genesis, network))
      // One after the other: both would hold the same home.
      for (const start of [[], ['--detach']]) {
        const { code, stderr } = await weft(['start', '--home', home, ...ports, ...start])
        assert.match(stderr, expected)
        assertFix(stderr)
        assert.equal(code, 1)
      }
    })
  }

  test('a port that is taken: who has it and what to do', async (context) => {
    const server = createServer().listen(BASE_PORT, '127.0.0.1')
    await once(server, 'listening')
    context.after(() => server.close())
    const { code, stderr } = await weft(['start', '--home', home, ...ports])
    assert.match(
      stderr,
      new RegExp(`E_PORT_TAKEN: Port ${BASE_PORT} \\(ports\\.base\\) is taken by .*\\(pid ${process.pid}\\)`),
    )
    assert.match(stderr, /Fix: Stop .*, or choose other ports with --base-port/)
    assert.equal(code, 1)
    assert.ok(!existsSync(join(home, 'api.sock')))

    const dir = join(directory, 'taken')
    // The port of a node in the middle of the range.
    const up = await weft(['devnet', 'up', '--nodes', '6', '--dir', dir, '--base-port', String(BASE_PORT - 20)])
    assert.match(up.stderr, new RegExp(`E_PORT_TAKEN: Port ${BASE_PORT} is taken by .*process ${process.pid}`))
    assert.match(up.stderr, /Fix: Use --base-port \d+, or stop what holds the port/)
    assert.equal(up.code, 1)
    assert.deepEqual(readdirSync(dir), [])
  })

  test('a state directory that another user may not enter', { skip: skipWithout('root') }, async () => {
    const closed = join(directory, 'closed')
    mkdirSync(closed, { mode: 0o700 })
    chmodSync(directory, 0o755)
    for (const [args, expected, exit] of [
      [['start', '--home', join(closed, 'home')], /E_STATE_UNWRITABLE: .*closed\/home/, 1],
      [['start', '--home', join(closed, 'home'), '--detach'], /E_STATE_UNWRITABLE: .*closed\/home/, 1],
      [['init', '--home', join(closed, 'home')], /E_STATE_UNWRITABLE: .*closed\/home/, 1],
      [['devnet', 'up', '--dir', join(closed, 'net')], /E_STATE_UNWRITABLE: .*closed\/net/, 1],
      [['put', genesis, '--home', join(closed, 'home')], /E_NOT_PERMITTED: .*closed\/home/, 4],
    ] as const) {
      chmodSync(genesis, 0o644)
      const { code, stderr } = await weft(args, { HOME: '/nonexistent' }, NOBODY)
      assert.match(stderr, expected, args.join(' '))
      assertFix(stderr)
      assert.equal(code, exit, args.join(' '))
    }
    assert.deepEqual(readdirSync(closed), [])
  })

  test('a full disk, and one with room for a part', { skip: skipWithout('root') }, async () => {
    using disk = new SmallDisk(join(directory, 'full'), 4)
    for (const leave of [0, 64 * 1024]) {
      disk.fill(leave)
      const where = join(disk.path, `home${leave}`)
      for (const background of [[], ['--detach']]) {
        const { code, stderr } = await weft(['start', '--home', where, '--network', genesis, ...ports, ...background])
        assert.match(stderr, /E_DISK_FULL: .*full/)
        assertFix(stderr)
        assert.equal(code, 1)
      }
      const up = ['devnet', 'up', '--nodes', '6', '--dir', join(disk.path, `net${leave}`)]
      const { code, stderr } = await weft([...up, '--base-port', String(BASE_PORT)])
      assert.match(stderr, /E_DISK_FULL: .*full\/net/)
      assertFix(stderr)
      assert.equal(code, 1)
      disk.empty()
    }
    // With room again the same home serves: what was begun there is in nobody's way.
    const where = join(disk.path, 'home0')
    await weftJson(['start', '--home', where, '--network', genesis, ...ports, '--detach'])
    assert.equal((await weft(['stop', '--home', where])).code, 0)
  })

  test('a lock file that something wrote into', async (context) => {
    const lock = join(home, 'daemon.lock')
    writeFileSync(lock, 'this is no lock of ours, sorry')
    context.after(() => rmSync(lock, { force: true }))
    const { code, stderr } = await weft(['start', '--home', home, ...ports])
    assert.match(stderr, /E_STATE_CORRUPT: .*daemon\.lock, is damaged.*\n?.*Fix: .*rm \S+daemon\.lock/)
    assert.equal(code, 1)
  })
})

const CLOCK = { LD_PRELOAD: libfaketime ?? '', FAKETIME: '+1d' }
const own = Object.values(networkInterfaces())
  .flat()
  .find((entry) => entry?.internal === false && entry.family === 'IPv4')?.address

test(
  'a node whose clock is a day off is no member, and reads why',
  { skip: own === undefined ? 'this machine has no address beside loopback' : skipWithout('faketime') },
  async (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-clock-'))
    const [validator, applicant] = [join(directory, 'validator'), join(directory, 'applicant')]
    context.after(async () => {
      await Promise.all([validator, applicant].map((home) => weft(['stop', '--home', home])))
      assert.deepEqual(findNodeProcesses(directory), [])
      rmSync(directory, { recursive: true })
    })
    const start = (home: string, base: number, roles: string, env?: Record<string, string>): Promise<unknown> => {
      const ports = ['--base-port', String(base), '--public-port', String(base + 10)]
      return weftJson(['start', '--detach', '--home', home, '--roles', roles, ...ports], env)
    }
    const address = (base: number): string => `/ip4/${own}/tcp/${base + 10}`
    const [base, other] = [BASE_PORT + 20, BASE_PORT + 40]
    await weftJson(['network', 'create', 'clocks', '--address', address(base), '--home', validator])
    mkdirSync(applicant, { mode: 0o700 })
    copyFileSync(join(validator, 'network.json'), join(applicant, 'network.json'))
    writeFileSync(join(applicant, 'weft.toml'), `[network]\nannounce = ["${address(other)}"]\n`)
    await start(validator, base, 'validator,storage')
    await start(applicant, other, 'storage', CLOCK)

    const { node, admission } = await eventually(
      'a refusal',
      () => weftJson<Status>(['status', '--home', applicant]),
      ({ admission: { state } }) => state === 'refused',
    )
    assert.equal(admission.fault?.code, 'E_CLOCK_SKEW')
    assert.match(
      admission.fault.cause,
      /clock of the application is 86\d{6} ms ahead of the validator's; 5000 ms are allowed/,
    )
    assert.match(admission.fault.fix, /Set the clock right/)
    const words = await weft(['status', '--home', applicant])
    assert.match(words.stdout, /refused \(E_CLOCK_SKEW\)[^]*E_CLOCK_SKEW: .*\n\s*Fix: Set the clock right/)
    assert.equal((await weft(['check', '--home', applicant])).code, 1)
    const { members } = await eventually(
      'that the validator is in its map',
      () => weftJson<{ members: { id: string }[] }>(['members', '--home', validator]),
      (seen) => seen.members.length > 0,
    )
    assert.equal(members.length, 1)
    assert.ok(members.every(({ id }) => id !== node.id))

    // The same node with its clock set right is admitted.
    assert.equal((await weft(['stop', '--home', applicant])).code, 0)
    await start(applicant, other, 'storage')
    await eventually(
      'a certificate',
      () => weftJson<Status>(['status', '--home', applicant]),
      ({ admission: { state } }) => state === 'certified',
    )
    assert.match(readFileSync(join(validator, 'logs', 'daemon.log'), 'utf8'), /E_CLOCK_SKEW.*application refused/)
  },
)

interface Status {
  readonly node: { readonly id: string }
  readonly admission: {
    readonly state: string
    readonly fault?: { readonly code: string; readonly cause: string; readonly fix: string }
  }
}

/** Every error says what to do. */
function assertFix(stderr: string): void {
  assert.match(stderr, /Fix: \S+ \S+/)
  assert.doesNotMatch(stderr, /E_INTERNAL|\n\s+at /)
}
