import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  devnetStatus,
  killNode,
  requireDevnetState,
  restartNode,
  type RunningDevnet,
  startDevnet,
  type StartDevnetOptions,
  stopDevnet,
} from '@weft/devnet'
import { allNodeProcesses } from '../src/lifecycle/find-node-processes.ts'
import { eventually } from './fixtures/eventually.ts'
import { temporaryDirectory } from './fixtures/temporary-directory.ts'

const DAEMON = join(import.meta.dirname, 'fixtures', 'daemon.ts')
const daemon = [process.execPath, DAEMON] as const
let nextPort = 21_000

/** A start whose network is gone after the test, whatever the test did. */
async function up(context: TestContext, options: Partial<StartDevnetOptions> = {}): Promise<RunningDevnet> {
  const directory = options.directory ?? temporaryDirectory(context)
  const merged: StartDevnetOptions = {
    directory,
    nodes: 6,
    basePort: options.directory === undefined ? (nextPort += 100) : undefined,
    attached: true,
    daemon,
    signal: new AbortController().signal,
    timeoutMs: 30_000,
    ...options,
  }
  try {
    const devnet = await startDevnet(merged)
    context.after(() => devnet.stop({ hurry: AbortSignal.abort() }))
    return devnet
  } finally {
    context.after(async () => {
      if (existsSync(join(directory, 'devnet.json')))
        await stopDevnet(requireDevnetState(directory), { hurry: AbortSignal.abort() })
    })
  }
}

test('a devnet starts, loses a node, gets it back, and leaves no process', async (context) => {
  const { state, origin, stop } = await up(context)
  assert.equal(origin, 'new')
  assert.equal(statSync(state.directory).mode & 0o077, 0)
  assert.equal((await devnetStatus(state)).nodes.filter(({ pid }) => pid !== undefined).length, 6)

  const { pid } = await killNode(state, 'validator2')
  assert.ok(!allNodeProcesses(state.nodes).some(({ identity }) => identity.pid === pid))
  await assert.rejects(killNode(state, 'validator2'), { code: 'E_DEVNET_NODE_STOPPED' })
  await assert.rejects(killNode(state, 'nobody'), { code: 'E_DEVNET_NODE_UNKNOWN' })
  assert.equal((await devnetStatus(state)).nodes.find(({ name }) => name === 'validator2')?.pid, undefined)

  const id = state.nodes.find(({ name }) => name === 'validator2')?.id as string
  const again = await restartNode(state, id, { daemon, signal: new AbortController().signal })
  assert.equal(again.node.name, 'validator2')
  assert.notEqual(again.pid, pid)

  await stop()
  assert.deepEqual(allNodeProcesses(state.nodes), [])
  assert.ok(!existsSync(join(state.directory, 'lifeline.sock')))
  await assert.rejects(
    restartNode(requireDevnetState(state.directory), 'client', { daemon, signal: new AbortController().signal }),
    {
      code: 'E_DEVNET_STOPPED',
    },
  )
})

test('a second start reuses what runs, revives what is dead, and goes on with what was stopped', async (context) => {
  const first = await up(context, { attached: false })
  const directory = first.state.directory
  assert.deepEqual((await up(context, { directory, nodes: undefined })).origin, 'reused')
  await killNode(first.state, 'client2')
  assert.deepEqual((await up(context, { directory, nodes: undefined })).revived, ['client2'])
  await assert.rejects(up(context, { directory, nodes: 7 }), { code: 'E_DEVNET_DIFFERS' })
  await assert.rejects(up(context, { directory, seed: 'other' }), { code: 'E_DEVNET_DIFFERS' })
  assert.deepEqual(await stopDevnet(first.state), { ended: 6, killed: 0 })
  const third = await up(context, { directory, nodes: undefined, attached: false })
  assert.equal(third.origin, 'continued')
  assert.deepEqual(
    third.state.nodes.map(({ id }) => id),
    first.state.nodes.map(({ id }) => id),
  )
})

test('a seed repeats the ids of all nodes', async (context) => {
  const ids = async (): Promise<string[]> => {
    const { state, stop } = await up(context, { seed: 'repeat' })
    await stop({ hurry: AbortSignal.abort() })
    return state.nodes.map(({ id }) => id)
  }
  assert.deepEqual(await ids(), await ids())
})

test('a node that dies at the start is named with its fault, and nothing is left', async (context) => {
  const directory = temporaryDirectory(context)
  mkdirSync(join(directory, 'validator3'), { recursive: true })
  writeFileSync(join(directory, 'validator3', 'behaviour'), 'die')
  await assert.rejects(
    up(context, { directory, basePort: (nextPort += 100) }),
    (error: { code: string; cause: string; fix: string }) => {
      assert.equal(error.code, 'E_DEVNET_NODE_DIED')
      assert.match(error.cause, /validator3 ended with exit code 1 .*E_PLANTED: It was told to die\./)
      assert.equal(error.fix, 'Tell it to live.')
      return true
    },
  )
  assert.deepEqual(allNodeProcesses(requireDevnetState(directory).nodes), [])
})

test('a network that does not get whole says who is missing and why, and nothing is left', async (context) => {
  const directory = temporaryDirectory(context)
  mkdirSync(join(directory, 'client2'), { recursive: true })
  writeFileSync(join(directory, 'client2', 'behaviour'), 'empty')
  await assert.rejects(
    up(context, { directory, basePort: (nextPort += 100), timeoutMs: 4_000 }),
    (error: { code: string; cause: string }) => {
      assert.equal(error.code, 'E_DEVNET_TIMEOUT')
      assert.match(error.cause, /1 node is not in the signed map: validator1\. validator1: E_PLANTED: Not admitted\./)
      return true
    },
  )
  assert.deepEqual(allNodeProcesses(requireDevnetState(directory).nodes), [])
})

test('an interrupted start leaves nothing', async (context) => {
  const directory = temporaryDirectory(context)
  const controller = new AbortController()
  const starting = up(context, {
    directory,
    basePort: (nextPort += 100),
    signal: controller.signal,
    onProgress: () => controller.abort(),
  })
  await assert.rejects(starting, { code: 'E_ABORTED' })
  assert.deepEqual(allNodeProcesses(requireDevnetState(directory).nodes), [])
})

test('a parent that is killed takes all nodes along, restarted ones too', async (context) => {
  const directory = temporaryDirectory(context)
  const parent = spawn(
    process.execPath,
    [join(import.meta.dirname, 'fixtures', 'up.ts'), directory, String((nextPort += 100)), DAEMON],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exit = once(parent, 'exit')
  await once(parent.stdout, 'data')
  const state = requireDevnetState(directory)
  await restartNode(state, 'client', { daemon, signal: new AbortController().signal })
  assert.equal(allNodeProcesses(state.nodes).length, 6)
  parent.kill('SIGKILL')
  await exit
  await eventually('no node lives', () => allNodeProcesses(state.nodes).length === 0)
  await assert.rejects(restartNode(state, 'client', { daemon, signal: new AbortController().signal }), {
    code: 'E_DEVNET_STOPPED',
  })
})

test('down ends nodes that ignore SIGTERM when it is hurried, and those without a record', async (context) => {
  const { state } = await up(context, { attached: false })
  writeFileSync(join(state.directory, 'client', 'behaviour'), 'deaf')
  rmSync(join(state.directory, 'validator1', 'process.json'))
  const hurry = new AbortController()
  const stopping = stopDevnet(state, {
    hurry: hurry.signal,
    erase: true,
    onProgress: ({ done }) => done === 5 && hurry.abort(),
  })
  assert.deepEqual(await stopping, { ended: 6, killed: 1 })
  assert.deepEqual(allNodeProcesses(state.nodes), [])
  assert.ok(!existsSync(state.directory))
})

test('a file in place of the directory is refused by name', async (context) => {
  const directory = join(temporaryDirectory(context), 'file')
  writeFileSync(directory, '')
  await assert.rejects(up(context, { directory, basePort: (nextPort += 100) }), { code: 'E_STATE_UNWRITABLE' })
})
