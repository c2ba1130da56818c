import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { completionScript } from '../src/program/completion.ts'
import { buildProgram } from '../src/program/build-program.ts'
import { VERSION } from '../src/program/version.ts'
import { ALL_COMMANDS, GROUPS } from '../src/specs/all-commands.ts'
import { runWeft } from './fixtures/run-weft.ts'

function helpOf(words: readonly string[]): string {
  let command = buildProgram({ version: VERSION, signal: new AbortController().signal, env: {} })
  for (const word of words)
    command =
      command.commands.find((candidate) => candidate.name() === word) ?? assert.fail(`no command ${words.join(' ')}`)
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp()
  return text
}

for (const { words, load } of ALL_COMMANDS) {
  test(`weft ${words.join(' ')} has code, --json and an example in its help`, async () => {
    assert.equal(typeof (await load()).run, 'function')
    const help = helpOf(words)
    assert.match(help, new RegExp(`Examples?:\\n  \\$ .*weft ${words.join(' ')}`))
    assert.match(help, /--json/)
  })
}

test('every group of commands is described', () => {
  const groups = ALL_COMMANDS.flatMap(({ words }) => words.slice(1).map((_, at) => words.slice(0, at + 1).join(' ')))
  assert.deepEqual(new Set(groups), new Set(GROUPS.map(({ words }) => words.join(' '))))
})

test('the version is the one of the package', () => {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as {
    version: string
  }
  assert.equal(VERSION, manifest.version)
})

const usage: readonly (readonly [args: string[], cause: RegExp, fix: RegExp])[] = [
  [['pt'], /Unknown command 'pt'/, /Did you mean put\?/],
  [['devnet', 'upp'], /Unknown command 'upp'/, /Did you mean up\?/],
  [['stauts', '--help'], /Unknown command 'stauts'/, /Did you mean status\?/],
  [['-h', 'stauts'], /Unknown command 'stauts'/, /Did you mean status\?/],
  [['devnet', 'upp', '-h'], /Unknown command 'upp'/, /Did you mean up\?/],
  [['put', '--clas', 'tiny', 'x'], /Unknown option '--clas'/, /Did you mean --class\?/],
  [['vpn', 'profile', 'lst'], /Unknown command 'lst'/, /Did you mean (list|set)/],
  [['vpn', 'profile', 'set', 'x', '--tiers', 'off'], /Unknown option '--tiers'/, /Did you mean --tier\?/],
  [['vpn', 'profile', 'show'], /Missing required argument/, /weft vpn profile show --help/],
  [['put'], /Missing required argument 'file'/, /weft put --help/],
  [['put', '--class', 'huge', 'x'], /Allowed choices are tiny, small/, /weft put --help/],
  [['put', 'x', '--ttl', 'soon'], /--ttl 'soon' is no duration/, /30d/],
  [['put', 'x', '--ttl', '900d'], /--ttl '900d' is longer than 365 days, the longest possible/, /365d/],
  [['devnet', 'up', '--nodes', 'many'], /--nodes 'many' is no number/, /whole number/],
  [['devnet', 'up', '--nodes', '3'], /A devnet of 3 nodes is not possible/, /6 to 60/],
  [['devnet', 'up', '--dir', `/${'d'.repeat(120)}`], /The socket path .* has \d+ bytes/, /shorter directory/],
  [['config', 'explain', 'storage.quot'], /There is no setting 'storage\.quot'/, /storage\.quota.*weft config explain/],
  [['token', 'create', 'x'], /--scopes is missing/, /weft token create x --scopes /],
  [['status', '--home', `/${'h'.repeat(120)}`], /The path of the API socket, .* has \d+ bytes/, /bytes shorter/],
  [['ping', 'did:key:z6Mk'], /'did:key:z6Mk' is not the whole id of a node/, /weft members --long/],
  [['network', 'revoke', 'x', '--reason', 'rude'], /'rude' is invalid\. Allowed choices are conformance/, /--help/],
  [['network', 'revoke', 'x'], /--reason is missing/, /equivocation/],
  [
    ['network', 'invite', '--roles', 'king,storage,queen'],
    /names 'king', 'queen', which are no roles/,
    /storage, entry/,
  ],
  [['network', 'invite', '--for', 'nobody'], /^--for 'nobody' is not the whole id/, /weft init/],
  [['network', 'invite', '--expires', '20ms'], /^--expires '20ms' is too short/, /1s/],
  [['token', 'create', 'x', '--scopes', 'node:read', '--ttl', '59s'], /^--ttl '59s' is too short/, /60s/],
  [['put', 'x', '--ttl', '1s'], /^--ttl '1s' is too short/, /60s/],
  [['network', 'attest', 'x', '--source', 'water'], /'water' is invalid\. Allowed choices are mix, solar/, /--help/],
  [['network', 'attest', 'x', '--grid', 'Bern'], /^--grid 'Bern' is no zone of a grid/, /US-TEX-ERCO/],
  [['network', 'attest', 'x', '--grid', 'CH', '--expires', '999ms'], /^--expires '999ms' is too short/, /1s/],
  [['network', 'attest', 'x'], /^Nothing to attest is given/, /--grid/],
  [['network', 'create', 'No', '--address', '/ip4/192.0.2.1/tcp/1'], /'No' is no name for a network/, /lower-case/],
  [['network', 'create', 'x', '--address', '/ip4/0.0.0.0/tcp/4780'], /^--address .*0\.0\.0\.0/, /listen_host/],
  [['init', '--network-id', 'w'], /^--network-id is given without a network file/, /--network FILE/],
  [['get', 'weft://a/b#c', '--json'], /cannot go to stdout/, /-o FILE/],
]
for (const [args, cause, fix] of usage) {
  test(`weft ${args.join(' ').slice(0, 40)} is a usage error`, async () => {
    const { code, stdout, stderr } = await runWeft(args.includes('--json') ? args : [...args, '--json'])
    assert.equal(code, 2, stderr)
    const { schemaVersion, error } = JSON.parse(stdout) as {
      schemaVersion: number
      error: { code: string; cause: string; fix: string }
    }
    assert.equal(schemaVersion, 1)
    assert.match(error.cause, cause)
    assert.match(error.fix, fix)
    assert.ok(stderr.startsWith(`${error.code}: ${error.cause}\nFix: ${error.fix}\n`), stderr)
  })
}

test('no command, and a group alone, show the help and are usage errors', async () => {
  const [none, group] = await Promise.all([runWeft([]), runWeft(['devnet'])])
  assert.deepEqual([none.code, group.code], [2, 2])
  assert.match(none.stdout, /Usage: weft/)
  assert.match(group.stderr, /Usage: weft devnet/)
})

test('help is shown of everything that exists, beside whatever else stands there', async () => {
  for (const [args, shown] of [
    [['--help'], /^Usage: weft \[/],
    [['devnet', '--help'], /^Usage: weft devnet \[/],
    [['--json', 'status', '-h'], /^Usage: weft/],
    [['put', 'stauts', '--help'], /^Usage: weft put /],
  ] as const) {
    const { code, stdout } = await runWeft(args)
    assert.equal(code, 0)
    assert.match(stdout, shown)
  }
})

test('without a daemon every command that needs one says so and ends with 3', async () => {
  const commands = [
    ['status'],
    ['check'],
    ['id'],
    ['members'],
    ['peers'],
    ['resources'],
    ['leases'],
    ['ls'],
    ['ping', 'x'],
    ['stat', 'r'],
    ['stop'],
    ['dashboard'],
    ['token', 'list'],
    ['network', 'show'],
    ['devnet', 'status', '--dir', '/nonexistent/d'],
  ]
  for (const result of await Promise.all(commands.map((args) => runWeft(args, { WEFT_HOME: '/nonexistent/home' })))) {
    assert.equal(result.code, 3, result.stderr)
    assert.equal(result.stdout, '')
    assert.match(result.stderr, /^E_(DAEMON_NOT_RUNNING|DEVNET_NONE): .*\nFix: .*weft/)
  }
})

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  const found = isInstalled(shell)
  test(
    `the completion for ${shell} is valid`,
    { skip: !found && process.env['CI'] === undefined && `${shell} is not installed` },
    () => {
      // From a file: fish checks no script that comes by standard input.
      const directory = mkdtempSync(join(tmpdir(), 'weft-completion-'))
      try {
        const file = join(directory, `weft.${shell}`)
        writeFileSync(file, completionScript(shell, ALL_COMMANDS))
        execFileSync(shell, ['-n', file])
      } finally {
        rmSync(directory, { recursive: true })
      }
    },
  )
}

test('bash completes commands, options and choices', () => {
  const complete = (line: string): string[] => {
    const words = line.split(' ')
    const script = `${completionScript('bash', ALL_COMMANDS)}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _weft; printf '%s\\n' "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' })
      .split('\n')
      .filter((word) => word !== '')
  }
  assert.deepEqual(complete('weft sta'), ['stat', 'start', 'status'])
  assert.deepEqual(complete('weft devnet re'), ['restart'])
  assert.deepEqual(complete('weft devnet up --se'), ['--seed'])
  assert.deepEqual(complete('weft put photo.jpg --cl'), ['--class'])
  assert.deepEqual(complete('weft setup completion z'), ['zsh'])
  assert.deepEqual(complete('weft vpn pro'), ['profile'])
  assert.deepEqual(complete('weft vpn profile ex'), ['export'])
  assert.deepEqual(complete('weft vpn profile set work --ho'), ['--hops', '--home'])
  assert.deepEqual(complete('weft vpn up --pro'), ['--profile'])
})

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
