import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { identifyProcess, isAlive, signalProcess } from '@weft/core'
import { endProcess } from '../src/process/end-process.ts'
import { namesHome } from '../src/process/find-processes.ts'
import { parseKilobytes } from '../src/process/memory-usage.ts'

test('a process is signalled only under its own start time', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const exit = once(child, 'exit')
  const identity = identifyProcess(child.pid as number)
  assert.ok(identity)
  const impostor = { pid: identity.pid, startTime: '1' }
  assert.equal(isAlive(impostor), false)
  assert.equal(signalProcess(impostor, 'SIGKILL'), false)
  assert.equal(await endProcess(impostor, { graceMs: 0 }), 'gone')
  assert.equal(isAlive(identity), true)
  assert.equal(await endProcess(identity), 'ended')
  assert.equal(isAlive(identity), false)
  await exit
})

test('a process that ignores SIGTERM is killed when the grace is cut short', async () => {
  const child = spawn(process.execPath, [
    '-e',
    "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)",
  ])
  const exit = once(child, 'exit')
  await once(child.stdout, 'data')
  const identity = identifyProcess(child.pid as number)
  assert.ok(identity)
  const hurry = new AbortController()
  const ending = endProcess(identity, { hurry: hurry.signal })
  hurry.abort()
  assert.equal(await ending, 'killed')
  await exit
})

test('only the exact home is taken for a node of the devnet', () => {
  assert.ok(namesHome(['node', 'daemon.js', '--home', '/a/b'], '/a/b'))
  assert.ok(namesHome(['node', 'daemon.js', '--home=/a/b'], '/a/b'))
  assert.ok(!namesHome(['node', 'daemon.js', '--home', '/a/b2'], '/a/b'))
  assert.ok(!namesHome(['node', 'daemon.js', '--network', '/a/b'], '/a/b'))
})

test('sizes in /proc are read field by field', () => {
  assert.equal(parseKilobytes('VmPeak:\t  10 kB\nVmRSS:\t   123 kB\n', 'VmRSS'), 123 * 1024)
  assert.equal(parseKilobytes('VmPeak:\t  10 kB\n', 'VmRSS'), undefined)
})
