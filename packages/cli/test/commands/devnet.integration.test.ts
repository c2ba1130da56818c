import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { identifyProcess } from '@weft/core'
import { runWeft } from '../fixtures/run-weft.ts'

test('devnet kill and restart do nothing when one of the names is wrong', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-kill-'))
  const victim = spawn(process.execPath, ['-e', "console.log('up'); setInterval(() => {}, 1000)"])
  context.after(() => {
    victim.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })
  await once(victim.stdout, 'data')
  const home = join(directory, 'storage1')
  mkdirSync(home)
  const node = { name: 'storage1', id: 'did:key:zOne', roles: ['storage'], client: false, home, ports: {} }
  const records = { schemaVersion: 1, networkName: 'x', seed: 'x', basePort: 28500, createdAt: 1, nodes: [node] }
  writeFileSync(join(directory, 'devnet.json'), JSON.stringify(records))
  writeFileSync(join(home, 'process.json'), JSON.stringify(identifyProcess(victim.pid ?? 0)))
  for (const command of ['kill', 'restart']) {
    const { code, stdout, stderr } = await runWeft(['devnet', command, 'storage1', 'nosuch', '--dir', directory])
    assert.deepEqual([code, stdout], [5, ''], stderr)
    assert.match(stderr, /no node 'nosuch'/)
  }
  assert.notEqual(identifyProcess(victim.pid ?? 0), undefined, 'the node that was named first still runs')
  const { stdout } = await runWeft(['devnet', 'kill', 'storage1', 'did:key:zOne', '--dir', directory])
  assert.equal(stdout, `Killed storage1 (process ${victim.pid}).\n`)
  const again = await runWeft(['devnet', 'kill', 'storage1', '--dir', directory])
  assert.ok(again.stderr.includes(`weft devnet restart storage1 --dir ${directory}`), again.stderr)
})

test("a node of one's own never lands in a devnet that runs", async (context) => {
  const state = mkdtempSync(join(tmpdir(), 'weft-own-'))
  context.after(() => rmSync(state, { recursive: true, force: true }))
  const devnet = join(state, 'weft/devnet')
  const home = join(devnet, 'client')
  mkdirSync(home, { recursive: true })
  // A devnet whose client is this very process.
  const node = { name: 'client', id: 'did:key:zClient', roles: [], client: true, home, ports: {} }
  const records = { schemaVersion: 1, networkName: 'x', seed: 'x', basePort: 28500, createdAt: 1, nodes: [node] }
  writeFileSync(join(devnet, 'devnet.json'), JSON.stringify(records))
  writeFileSync(join(home, 'process.json'), JSON.stringify(identifyProcess(process.pid)))
  const env = { XDG_STATE_HOME: state }
  // The other commands do speak to it.
  const status = await runWeft(['status'], env)
  assert.ok(status.stderr.includes(home), status.stderr)
  const before = readdirSync(home)
  const create = ['network', 'create', 'mine', '--address', '/ip4/192.0.2.1/tcp/4780', '--rotate', '12h', '--json']
  const created = await runWeft(create, env)
  assert.equal(created.code, 0, created.stderr)
  assert.match(created.stderr, /Seats rotate only while 4 validators or more sit/)
  const { path } = JSON.parse(created.stdout) as { path: string }
  assert.equal((JSON.parse(readFileSync(path, 'utf8')) as { rotateMs: number }).rotateMs, 43_200_000)
  const init = await runWeft(['init', '--json'], env)
  assert.equal((JSON.parse(init.stdout) as { home: string }).home, join(state, 'weft'), init.stderr)
  // A daemon that cannot start: what matters is where it tried.
  const start = await runWeft(['start', '--detach', '--roles', 'nonsense'], env)
  assert.notEqual(start.code, 0)
  assert.ok(existsSync(join(state, 'weft/logs')))
  assert.deepEqual(readdirSync(home), before)
})
