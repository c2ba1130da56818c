import { enableCompileCache } from 'node:module'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf, toWeftError, WeftError } from '@weft/core'
import { defaultDevnetDirectory, type RunningDevnet, startDevnet } from '@weft/devnet'
import { DAEMON_NODE_FLAGS } from '@weft/node'
import { buildDist } from './lib/build-dist.ts'
import { repositoryRoot as root } from './lib/repository-root.ts'
import { closingWords } from './tour/closing-words.ts'
import { fileRoad } from './tour/file-road.ts'
import { Narrator, seconds } from './tour/narrator.ts'
import { openDashboard } from './tour/open-dashboard.ts'
import { routeStep } from './tour/route-step.ts'
import { WeftCommand } from './tour/run-weft.ts'
import { watchParents } from './tour/watch-parents.ts'

// `npm start`: builds what is not built, starts a network of 12 nodes on this machine, shows the main job on it, and
// keeps it up as long as somebody sits in front of it.
enableCompileCache(join(root, 'node_modules/.cache/weft-compiled'))

const narrator = new Narrator()
const interrupted = new AbortController()
const hurry = new AbortController()

function onInterrupt(why: string): void {
  if (interrupted.signal.aborted) hurry.abort()
  else
    interrupted.abort(
      new WeftError({ code: 'E_INTERRUPTED', cause: why, fix: 'Start it again: npm start', retryable: true }),
    )
}

const HELP = `npm start -- [OPTIONS]: starts a network of real nodes on this machine, and shows the main job on it.

  --stay              keep it up behind the tour; as by itself in a terminal
  --nodes COUNT       how many nodes (12)
  --base-port PORT    the first of their ports
  --dir DIRECTORY     where it lives
  --help              show this`

function optionsOf() {
  try {
    return parseArgs({
      options: {
        stay: { type: 'boolean', default: false },
        dir: { type: 'string' },
        'base-port': { type: 'string' },
        nodes: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    // Of parseArgs; its words go on with advice that is of no use here.
    const [cause = ''] = messageOf(error).split('. ')
    throw new WeftError({ code: 'E_USAGE', cause: `${cause}.`, fix: 'See npm start -- --help.' })
  }
}

async function main(): Promise<number> {
  const values = optionsOf()
  if (values.help) {
    narrator.line(HELP)
    return 0
  }
  const stays = values.stay || (process.stdin.isTTY && process.stdout.isTTY)
  const { signal } = interrupted

  await narrator.step(
    'Build',
    () => buildDist(root, { report: (line) => narrator.detail(line) }),
    (built) => (built ? 'built' : 'up to date'),
  )
  if (signal.aborted) throw signal.reason
  let last = ''
  const devnet = await narrator.step(
    'Start a network of real nodes on this machine, one process each',
    () =>
      startDevnet({
        directory: values.dir === undefined ? defaultDevnetDirectory(process.env) : resolve(values.dir),
        nodes: numberOf(values.nodes, '--nodes'),
        basePort: numberOf(values['base-port'], '--base-port'),
        attached: true,
        daemon: [process.execPath, ...DAEMON_NODE_FLAGS, join(root, 'dist', 'daemon.js')],
        signal,
        onProgress: ({ text }) => {
          if (text !== last) narrator.detail(text)
          last = text
        },
      }),
    originWords,
  )
  try {
    const failure = await show(devnet, signal)
    if (stays && !signal.aborted) {
      narrator.line()
      narrator.line(
        devnet.origin === 'reused'
          ? 'The network runs on in its own terminal or in the background: npx weft devnet down stops it.'
          : 'The network stays up until you press Ctrl-C.',
      )
      if (devnet.origin !== 'reused')
        await new Promise((resolve_) => signal.addEventListener('abort', resolve_, { once: true }))
      return failure === undefined || signal.aborted ? 0 : 1
    }
    return failure === undefined ? 0 : 1
  } finally {
    await stop(devnet)
  }
}

/** The dashboard's link, the tour and the closing words. A step that fails is told; the network stays as it is. */
async function show(devnet: RunningDevnet, signal: AbortSignal): Promise<WeftError | undefined> {
  let ref: string | undefined
  let failure: WeftError | undefined
  try {
    await openDashboard(devnet.state, narrator, signal)
    const weft = new WeftCommand(root, signal)
    ref = await fileRoad(devnet.state, weft, narrator)
    await routeStep(devnet.state, weft, narrator, signal)
  } catch (error) {
    if (signal.aborted) throw error
    failure = tell(error)
  }
  await closingWords(devnet.state, ref, narrator)
  return failure
}

async function stop(devnet: RunningDevnet): Promise<void> {
  if (devnet.origin === 'reused') return
  const started = performance.now()
  narrator.line()
  narrator.line('Stopping (Ctrl-C once more: at once).')
  await devnet.stop({ hurry: hurry.signal })
  narrator.line(
    `Stopped in ${seconds(performance.now() - started)}; no process is left. npm start goes on with the same network and its data.`,
  )
}

function originWords({ origin, state, revived }: RunningDevnet): string {
  const what = {
    new: 'a new network',
    continued: 'the network of the last start, with its data',
    reused: 'the network that runs already',
  }[origin]
  const again = revived.length === 0 ? '' : `, ${revived.join(', ')} started again`
  return `${what}${again}: ${state.nodes.length} nodes, every member in the signed map`
}

function numberOf(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new WeftError({
    code: 'E_USAGE',
    cause: `${option} '${text}' is no number.`,
    fix: `Write ${option} and a number: npm start -- ${option} 9000`,
  })
}

function tell(error: unknown): WeftError {
  const told = toWeftError(error, {
    code: 'E_INTERNAL',
    cause: String(error),
    fix: 'Report it with the logs of the nodes.',
  })
  process.stderr.write(`\n${told.code}: ${told.cause}\nFix: ${told.fix}\n`)
  return told
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(name, () => onInterrupt(`Interrupted by ${name}.`))
// A terminal that was closed makes every further write fail; the network is to be stopped all the same.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
const unwatch = watchParents(() => onInterrupt('The process that started this one has ended.'))
try {
  process.exitCode = await main()
} catch (error) {
  tell(error)
  process.exitCode = interrupted.signal.aborted ? 130 : 1
} finally {
  unwatch()
}
