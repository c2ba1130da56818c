import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { startProcess, weft } from './lib/weft.ts'

// `npm start` without a terminal: the tour ends with an exit code, and nothing outlives it.

const START = join(import.meta.dirname, '..', 'scripts', 'start.ts')

function directory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'weft-start-'))
  context.after(async () => {
    await weft(['devnet', 'down', '--dir', path])
    rmSync(path, { recursive: true, force: true })
  })
  return path
}

test('the tour does the main job once, ends with 0, and leaves no process', async (context) => {
  const dir = directory(context)
  const { child, finished } = startProcess([START, '--dir', dir, '--base-port', '24800'])
  child.stdin?.end()
  const { code, stdout, stderr } = await finished
  assert.equal(code, 0, `${stdout}\n${stderr}`)
  assert.match(stdout, /a new network: 12 nodes/)
  assert.match(stdout, /SHA-256 equal/)
  assert.match(stdout, /Fetch a page of the tour's own HTTP server \(http:\/\/127\.0\.0\.1:\d+\/\) over three nodes/)
  const hops = [...stdout.matchAll(/^ +(entry|relay|exit) +(\w+) +…(\w{8})  [A-Z]{2} \(simulated\)$/gm)]
  assert.deepEqual(
    hops.map(([, role]) => role),
    ['entry', 'relay', 'exit'],
    stdout,
  )
  assert.equal(new Set(hops.map(([, , , id]) => id)).size, 3)
  assert.match(
    stdout,
    new RegExp(
      `asked from 127\\.0\\.0\\.1:\\d+, which is ${hops[2]?.[2] ?? ''}, the exit \\(process \\d+\\), and saw nobody else`,
    ),
  )
  assert.match(stdout, /curl --proxy socks5h:\/\/127\.0\.0\.1:24801 https:/)
  assert.match(stdout, /npx weft vpn route --home/)
  assert.match(stdout, /npx weft vpn status --home/)
  assert.match(stdout, /npx weft status/)
  assert.match(stdout, /Memory: 12 processes/)
  assert.match(stdout, /To erase it: npx weft devnet down --erase/)
  assert.deepEqual(findNodeProcesses(dir), [])
})

test('what it can be told is shown, and what it cannot be is refused before anything is built', async () => {
  const help = await startProcess([START, '--help']).finished
  assert.deepEqual([help.code, /--nodes COUNT/.test(help.stdout)], [0, true])
  for (const [word, cause] of [
    ['--hepl', /E_USAGE.*: Unknown option '--hepl'\.\n.*npm start -- --help/],
    ['--nodes', /E_USAGE.*argument missing/],
  ] as const) {
    const { code, stdout, stderr } = await startProcess([START, word]).finished
    assert.equal(code, 1)
    assert.match(`${stdout}${stderr}`, cause)
    assert.doesNotMatch(stdout, /Build/)
  }
})

test('with --stay the network stays until the process that started it is killed; then no node is left', async (context) => {
  const dir = directory(context)
  // A parent of its own, as npm is: what is killed is not the process that holds the network.
  const parent = spawn(
    process.execPath,
    ['-e', PARENT, START, '--stay', '--nodes', '6', '--dir', dir, '--base-port', '26000'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  await new Promise<void>((resolve, reject) => {
    let text = ''
    parent.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('Dashboard (the link works once)')) resolve()
    })
    parent.once('close', () => reject(new Error(`it ended: ${text}`)))
  })
  assert.equal(findNodeProcesses(dir).length, 6)
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  await eventually(
    'the end of its nodes',
    async () => findNodeProcesses(dir),
    (left) => left.length === 0,
  )
})

const PARENT = `require('node:child_process').spawn(process.execPath, process.argv.slice(1), { stdio: 'inherit' })`
