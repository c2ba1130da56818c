import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TorProcess, torArguments, writeTorrc } from './tor-process.ts'

const run = promisify(execFile)

const AUTHORITY = 'authority'
const RELAYS = ['relay1', 'relay2', 'relay3'] as const
const EXIT = 'exit'
const CLIENT = 'client'
/** ms from the start of the relays until a consensus lists them all, and from then until the client has a circuit. */
const CONSENSUS_MS = 90_000
const BOOTSTRAP_MS = 60_000
const LOOK_EVERY_MS = 250
/**
 * What the public network's consensus says, and the code's defaults do not: congestion control by RTT (proposal 324)
 * in place of fixed windows.
 */
const CONSENSUS_PARAMETERS = 'cc_alg=2'

/** What keeps a private Tor network from running here, by its name; undefined when nothing does. */
export function missingForTor(): string | undefined {
  for (const [program, option] of [
    ['tor', '--version'],
    ['tor-gencert', '--help'],
  ] as const) {
    try {
      execFileSync(program, [option], { stdio: 'ignore' })
    } catch (error) {
      // tor-gencert ends its help with 1.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        return `${program} is not installed (scripts/setup-test-tools.sh installs tor)`
    }
  }
  return undefined
}

/**
 * Debian's tor as a network of its own on loopback: an authority, three relays, an exit that may reach 127.0.0.1, and a
 * client whose SOCKS5 proxy builds circuits of three hops. Ports from `basePort` on; all processes end with it.
 */
export class TorNetwork implements AsyncDisposable {
  /** SOCKS5 on 127.0.0.1. */
  readonly proxyPort: number
  readonly #basePort: number
  readonly #directory = mkdtempSync(join(tmpdir(), 'weft-tor-'))
  readonly #processes: TorProcess[] = []

  private constructor(basePort: number) {
    this.#basePort = basePort
    this.proxyPort = basePort + 9
  }

  /** Resolves when the client has built a circuit. @throws Error with the end of a log when that takes too long */
  static async start(basePort: number): Promise<TorNetwork> {
    const network = new TorNetwork(basePort)
    try {
      await network.#up()
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Such as `0.4.9.11`. */
  static version(): string {
    return /version ([\w.-]+)\./.exec(execFileSync('tor', ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((each) => each[Symbol.asyncDispose]()))
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #up(): Promise<void> {
    const authority = await this.#makeAuthority()
    this.#start(AUTHORITY, [
      ...this.#authorityOptions,
      authority,
      'AuthoritativeDirectory 1',
      'V3AuthoritativeDirectory 1',
      'TestingV3AuthInitialVotingInterval 20',
      'TestingV3AuthInitialVoteDelay 4',
      'TestingV3AuthInitialDistDelay 4',
      'V3AuthVotingInterval 20',
      'V3AuthVoteDelay 4',
      'V3AuthDistDelay 4',
      'TestingDirAuthVoteGuard *',
      'TestingDirAuthVoteExit *',
      'TestingMinExitFlagThreshold 0',
      `ConsensusParams ${CONSENSUS_PARAMETERS}`,
    ])
    for (const [index, name] of [...RELAYS, EXIT].entries())
      this.#start(name, [
        authority,
        `ORPort 127.0.0.1:${this.#basePort + 2 + index}`,
        'SocksPort 0',
        // Clients see a summary of the policy, which leaves loopback out: an exit to loopback alone would look like none.
        ...(name === EXIT ? ['ExitRelay 1', 'ExitPolicyRejectPrivate 0', 'ExitPolicy accept *:*'] : ['ExitRelay 0']),
      ])
    await this.#consensus(RELAYS.length + 2)
    const client = this.#start(CLIENT, [authority, `SocksPort 127.0.0.1:${this.proxyPort}`])
    await client.logged('Bootstrapped 100%', BOOTSTRAP_MS)
  }

  #start(name: string, options: readonly string[]): TorProcess {
    const started = TorProcess.start(this.#directory, name, options)
    this.#processes.push(started)
    return started
  }

  get #authorityOptions(): readonly string[] {
    return [
      `ORPort 127.0.0.1:${this.#basePort}`,
      `DirPort 127.0.0.1:${this.#basePort + 1}`,
      'SocksPort 0',
      'ExitRelay 0',
      'ContactInfo none@example.org',
    ]
  }

  /** Makes the authority's keys; the line by which all others know it. */
  async #makeAuthority(): Promise<string> {
    const keys = join(this.#directory, AUTHORITY, 'keys')
    mkdirSync(keys, { recursive: true, mode: 0o700 })
    const dirPort = this.#basePort + 1
    const certificate = join(keys, 'authority_certificate')
    const making = run('tor-gencert', [
      '--create-identity-key',
      '--passphrase-fd',
      '0',
      '-m',
      '1',
      '-a',
      `127.0.0.1:${dirPort}`,
      '-i',
      join(keys, 'authority_identity_key'),
      '-s',
      join(keys, 'authority_signing_key'),
      '-c',
      certificate,
    ])
    making.child.stdin?.end('passphrase of a network of minutes\n')
    await making
    const v3 = /^fingerprint ([0-9A-F]{40})$/m.exec(readFileSync(certificate, 'utf8'))?.[1]
    const line = (fingerprint: string): string =>
      `DirAuthority ${AUTHORITY} orport=${this.#basePort} v3ident=${v3} 127.0.0.1:${dirPort} ${fingerprint}`
    const draft = writeTorrc(this.#directory, AUTHORITY, [...this.#authorityOptions, line('F'.repeat(40))])
    await run('tor', ['--list-fingerprint', ...torArguments(draft)])
    const fingerprint = readFileSync(join(this.#directory, AUTHORITY, 'fingerprint'), 'utf8')
      .trim()
      .split(' ')[1]
    return line(fingerprint ?? '')
  }

  /** Resolves when the authority has published a consensus with that many running relays. */
  async #consensus(relays: number): Promise<void> {
    const url = `http://127.0.0.1:${this.#basePort + 1}/tor/status-vote/current/consensus-microdesc`
    const deadline = performance.now() + CONSENSUS_MS
    let seen = 'none'
    while (performance.now() < deadline) {
      const text = await fetch(url).then(
        (answer) => (answer.ok ? answer.text() : ''),
        () => '',
      )
      const running = text.match(/^s .*\bRunning\b/gm)?.length ?? 0
      if (running >= relays) return
      if (text !== '') seen = `one with ${running} running relays`
      await new Promise((again) => setTimeout(again, LOOK_EVERY_MS))
    }
    const logs = this.#processes.map(({ name, log }) => `${name}:\n${log}`).join('\n')
    throw new Error(`no consensus of ${relays} relays within ${CONSENSUS_MS / 1_000} s, ${seen}; the logs:\n${logs}`)
  }
}
