import { existsSync, rmSync } from 'node:fs'
import { isDiskFull, toWeftError, WeftError, identifyProcess, isAlive, type ProcessIdentity } from '@weft/core'
import { createDevnet } from './plan/create-devnet.ts'
import { requireFreePorts } from './plan/free-ports.ts'
import { DEFAULT_NODES, planNodes } from './plan/plan-nodes.ts'
import { randomSeed } from './plan/seed.ts'
import type { DaemonCommand } from './lifecycle/daemon-command.ts'
import { checkedDevnetDirectory, lifelinePath } from './lifecycle/devnet-directory.ts'
import { type DevnetNode, type DevnetState, readDevnetState, writeDevnetState } from './lifecycle/devnet-state.ts'
import { nodeProcess } from './lifecycle/find-node-processes.ts'
import { Lifeline } from './lifecycle/lifeline.ts'
import type { OnProgress } from './lifecycle/progress.ts'
import { spawnNode } from './lifecycle/spawn-node.ts'
import { makeStateDirectory, unwritable } from './lifecycle/state-directory.ts'
import { stopNodes, type StopOptions } from './lifecycle/stop-nodes.ts'
import { UpLock } from './lifecycle/up-lock.ts'
import { waitUntilStarted } from './lifecycle/wait-until-started.ts'
import { waitUntilWhole } from './lifecycle/wait-until-whole.ts'

export const DEFAULT_BASE_PORT = 7780
/** ms for the whole start; it takes 10 to 20 s on two cores. */
export const DEFAULT_START_TIMEOUT_MS = 90_000

export interface StartDevnetOptions {
  readonly directory: string
  /** Default: what the directory holds, else 12. */
  readonly nodes?: number | undefined
  /** Default: what the directory holds, else 7780. */
  readonly basePort?: number | undefined
  /** Any text; the same text makes the same keys and places. Default: what the directory holds, else a random one. */
  readonly seed?: string | undefined
  /** Rules CIDR:PORT of what the exits dial beside public addresses. Default: what the directory holds, else 127.0.0.1 but for the devnet's own ports. */
  readonly exitAllow?: readonly string[] | undefined
  /** True: the nodes end when this process does, however it ends. False: they stay until they are stopped. */
  readonly attached: boolean
  readonly daemon: DaemonCommand
  readonly signal: AbortSignal
  readonly timeoutMs?: number | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface RunningDevnet {
  readonly state: DevnetState
  /** How this start found the network: 'new', 'continued' from a stopped one, or 'reused': it ran already. */
  readonly origin: 'new' | 'continued' | 'reused'
  /** Names of nodes of a reused network that were dead and were started again. */
  readonly revived: readonly string[]
  /** Ends the nodes that this process is in charge of; of a reused network none. Once it resolved none is left. */
  readonly stop: (options?: StopOptions) => Promise<void>
}

/**
 * Starts a devnet, or takes up the one in the directory, and resolves when its clients see every member in the signed
 * map and are connected to it. When anything fails, no process is left.
 * @throws WeftError E_DEVNET_SIZE, E_PORT_TAKEN, E_PORT_RANGE, E_SOCKET_PATH, E_STATE_UNWRITABLE, E_DISK_FULL,
 * E_DEVNET_BUSY, E_DEVNET_DIFFERS, E_DEVNET_STATE, E_DEVNET_NODE_DIED, E_DEVNET_TIMEOUT, E_ABORTED
 */
export async function startDevnet(options: StartDevnetOptions): Promise<RunningDevnet> {
  const names = planNodes(options.nodes ?? DEFAULT_NODES).map(({ name }) => name)
  const directory = checkedDevnetDirectory(options.directory, names)
  makeStateDirectory(directory)
  using _lock = UpLock.take(directory)
  const existing = readDevnetState(directory)
  if (existing !== undefined) {
    refuseOtherShape(existing, options)
    if (isRunning(existing)) {
      refuseOtherRules(existing, options)
      return await takeUp(existing, options)
    }
    // What a devnet left behind whose process was killed: its nodes are ending by themselves, or have no lifeline.
    await stopNodes(existing.nodes, { hurry: AbortSignal.abort() })
  }
  await requireFreePorts(
    options.basePort ?? existing?.basePort ?? DEFAULT_BASE_PORT,
    existing?.nodes.length ?? names.length,
  )
  return await launch(writtenState(directory, existing, options), existing === undefined ? 'new' : 'continued', options)
}

/** True while somebody is in charge of the network: its process in the foreground, or, without one, any of its nodes. */
export function isRunning(state: DevnetState): boolean {
  // The program that started the network may live on after it stopped it: the lifeline tells.
  if (state.supervisor !== undefined) return isAlive(state.supervisor) && existsSync(lifelinePath(state.directory))
  return state.nodes.some((node) => nodeProcess(node) !== undefined)
}

/** @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL */
function writtenState(directory: string, existing: DevnetState | undefined, options: StartDevnetOptions): DevnetState {
  try {
    return prepareState(directory, existing, options)
  } catch (error) {
    throw unwritable(directory, error)
  }
}

function prepareState(directory: string, existing: DevnetState | undefined, options: StartDevnetOptions): DevnetState {
  const supervisor = options.attached ? ownIdentity() : undefined
  if (existing !== undefined) {
    const state = { ...existing, supervisor, exitAllow: options.exitAllow ?? existing.exitAllow }
    writeDevnetState(state)
    return state
  }
  return createDevnet({
    directory,
    nodes: options.nodes ?? DEFAULT_NODES,
    basePort: options.basePort ?? DEFAULT_BASE_PORT,
    seed: options.seed ?? randomSeed(),
    now: Date.now(),
    supervisor,
    exitAllow: options.exitAllow,
  })
}

async function launch(
  state: DevnetState,
  origin: 'new' | 'continued',
  options: StartDevnetOptions,
): Promise<RunningDevnet> {
  const lifeline = options.attached ? await Lifeline.listen(lifelinePath(state.directory)) : undefined
  const stop = async (stopOptions: StopOptions = {}): Promise<void> => {
    await stopNodes(state.nodes, stopOptions)
    await lifeline?.[Symbol.asyncDispose]()
    rmSync(lifelinePath(state.directory), { force: true })
    // This process lives on, and is in charge of nothing any more.
    if (existsSync(state.directory)) writeDevnetState({ ...state, supervisor: undefined })
  }
  try {
    await startNodes(state, state.nodes, options)
  } catch (error) {
    // Nothing of value is in flight yet: nobody has put anything.
    await stop({ hurry: AbortSignal.abort() })
    throw error
  }
  return { state, origin, revived: [], stop }
}

async function takeUp(state: DevnetState, options: StartDevnetOptions): Promise<RunningDevnet> {
  const dead = state.nodes.filter((node) => nodeProcess(node) === undefined)
  await startNodes(state, dead, options)
  return { state, origin: 'reused', revived: dead.map(({ name }) => name), stop: async () => {} }
}

async function startNodes(
  state: DevnetState,
  nodes: readonly DevnetNode[],
  options: StartDevnetOptions,
): Promise<void> {
  const { signal, timeoutMs = DEFAULT_START_TIMEOUT_MS, onProgress } = options
  const started = performance.now()
  const failed = new AbortController()
  const total = nodes.length
  let done = 0
  const starting = nodes.map(async (node) => {
    const { identity, exited, logStart } = spawnNode(state, node, options.daemon)
    await waitUntilStarted(
      { name: node.name, home: node.home, pid: identity.pid, exited, logStart },
      AbortSignal.any([signal, failed.signal]),
    )
    done++
    onProgress?.({ step: 'processes', done, total, text: `${done} of ${total} nodes started` })
  })
  const timer = setTimeout(() => failed.abort(startTimeout(timeoutMs, state)), timeoutMs)
  try {
    await Promise.all(starting)
  } catch (error) {
    failed.abort()
    await Promise.allSettled(starting)
    if (isDiskFull(error)) throw unwritable(state.directory, error)
    throw toWeftError(error, {
      code: 'E_DEVNET_SPAWN',
      cause: `The nodes could not be started: ${String(error)}`,
      fix: `See the logs below ${state.directory}.`,
    })
  } finally {
    clearTimeout(timer)
  }
  await waitUntilWhole(state, {
    signal,
    timeoutMs: Math.max(1_000, timeoutMs - (performance.now() - started)),
    onProgress,
  })
}

function startTimeout(timeoutMs: number, state: DevnetState): WeftError {
  return new WeftError({
    code: 'E_DEVNET_TIMEOUT',
    cause: `After ${timeoutMs / 1_000} s not every node of the devnet had started.`,
    fix: `See the logs below ${state.directory}, or give it more time with --timeout.`,
    retryable: true,
  })
}

function refuseOtherShape(existing: DevnetState, options: StartDevnetOptions): void {
  const differing: string[] = []
  if (options.nodes !== undefined && options.nodes !== existing.nodes.length)
    differing.push(`it has ${existing.nodes.length} nodes, not ${options.nodes}`)
  if (options.basePort !== undefined && options.basePort !== existing.basePort)
    differing.push(`its base port is ${existing.basePort}, not ${options.basePort}`)
  if (options.seed !== undefined && options.seed !== existing.seed) differing.push('its seed is another')
  if (differing.length === 0) return
  throw new WeftError({
    code: 'E_DEVNET_DIFFERS',
    cause: `${existing.directory} holds another devnet: ${differing.join('; ')}.`,
    fix: `Take another directory with --dir, or erase that devnet: weft devnet down --erase --dir ${existing.directory}`,
  })
}

/** Its exits run already, with the rules that they have. */
function refuseOtherRules(existing: DevnetState, { exitAllow }: StartDevnetOptions): void {
  if (exitAllow === undefined || exitAllow.join() === existing.exitAllow?.join()) return
  throw new WeftError({
    code: 'E_DEVNET_DIFFERS',
    cause: `The devnet in ${existing.directory} runs, and its exits have other rules than --exit-allow says.`,
    fix: `Stop it first; it goes on with the new rules: weft devnet down --dir ${existing.directory}`,
  })
}

function ownIdentity(): ProcessIdentity {
  const identity = identifyProcess(process.pid)
  if (identity !== undefined) return identity
  throw new WeftError({
    code: 'E_PROC',
    cause: 'The system does not tell when this process started.',
    fix: process.platform === 'linux' ? 'Mount /proc.' : 'Make sure that ps can be run.',
  })
}
