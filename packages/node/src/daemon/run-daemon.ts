import { writeSync } from 'node:fs'
import { isWeftError, messageOf, toWeftError } from '@weft/core'
import { type Config, loadConfig } from '../config/load-config.ts'
import { VERSION } from '../version.ts'
import { holdLifeline } from './lifeline.ts'
import { loadComponents } from './load-components.ts'
import { type Daemon, startDaemon } from './start-daemon.ts'

/** ms from the wish to stop to the end, come what may. */
const STOP_DEADLINE_MS = 9_500

/** Ends the process: 0 stopped, 1 failed, 2 wrong use (a flag, a variable or a setting). */
export type ExitCode = 0 | 1 | 2

/**
 * The life of the daemon's process: configuration, start, signals, lifeline, stop. Resolves with the exit code; never
 * throws, and never prints a bare stack.
 */
export async function runDaemon(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<ExitCode> {
  // Whatever is written, only its owner may read.
  process.umask(0o077)
  let config: Config
  try {
    config = await loadConfig(args, environment)
  } catch (error) {
    return fail(undefined, error, 2)
  }
  const stopped = Promise.withResolvers<void>()
  const stopping = new AbortController()
  let daemon: Daemon | undefined
  const unexpected = (error: unknown): void => {
    daemon?.log.failure('the daemon met an error that it did not expect', error)
    process.exit(fail(config, error, 1))
  }
  process.on('uncaughtException', unexpected)
  process.on('unhandledRejection', unexpected)
  const stop = stopper(
    () => daemon,
    () => {
      stopping.abort()
      stopped.resolve()
    },
  )
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.on(signal, () => stop(signal))
  try {
    using lifeline =
      config.lifeline === undefined ? undefined : await holdLifeline(config.lifeline, () => stop('lifeline'))
    void lifeline
    daemon = await startDaemon({ config, loadComponents, onStop: () => stop('API'), signal: stopping.signal })
    if (!stopping.signal.aborted) announceReady(config, daemon)
    await stopped.promise
    await daemon.close()
    return 0
  } catch (error) {
    // Whoever stops a daemon while it starts has what they want.
    if (stopping.signal.aborted && isWeftError(error, 'E_ABORTED')) return 0
    return fail(config, error, 1)
  }
}

/** What a wish to stop does: the first begins, a second Ctrl-C ends at once, and there is a deadline in any case. */
function stopper(daemon: () => Daemon | undefined, begin: () => void): (why: string) => void {
  let stopping = false
  return (why) => {
    if (stopping) {
      // 128 + SIGINT, as a shell reports it.
      if (why === 'SIGINT') process.exit(130)
      return
    }
    stopping = true
    daemon()?.log.info('the daemon stops', { why })
    setTimeout(() => {
      daemon()?.log.error('the daemon did not stop in time and is ended', { afterMs: STOP_DEADLINE_MS })
      process.exit(1)
    }, STOP_DEADLINE_MS).unref()
    begin()
  }
}

function announceReady(config: Config, { id, home, ports }: Daemon): void {
  if (process.stdout.isTTY && config.readyFd === undefined) {
    writeSafely(
      1,
      `Weft ${VERSION} runs: http://127.0.0.1:${ports['api']}/ (open it with: weft dashboard). Stop it with Ctrl-C.\n`,
    )
    return
  }
  tell(config.readyFd, { event: 'ready', schemaVersion: 1, pid: process.pid, id, home, version: VERSION, ports })
}

/** Tells a failure to whoever started the daemon: once, on stderr; and as JSON where a program asked by --ready-fd. */
function fail(config: Config | undefined, error: unknown, code: 1 | 2): ExitCode {
  const fault = toWeftError(error, {
    code: 'E_INTERNAL',
    cause: `The daemon met an error that it did not expect: ${messageOf(error)}.`,
    fix: 'Set log.level to "debug", start it again, and report what logs/daemon.log says.',
  })
  // One line in a log, so that it can be found there again.
  const line = fault.message.replaceAll(/\s*\n\s*/g, ' ')
  writeSafely(2, process.stderr.isTTY ? `${fault.code}: ${fault.cause}\nFix: ${fault.fix}\n` : `${line}\n`)
  if (config?.readyFd !== undefined) tell(config.readyFd, { event: 'failed', error: fault.toJSON() })
  return code
}

function tell(descriptor: number | undefined, message: unknown): void {
  writeSafely(descriptor ?? 1, `${JSON.stringify(message)}\n`)
}

function writeSafely(descriptor: number, text: string): void {
  try {
    writeSync(descriptor, text)
  } catch {
    // Whoever was to read it has gone; the log has the same.
  }
}
