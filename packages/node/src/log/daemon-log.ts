import type { Logger } from '@weft/core'
import { WeftError } from '@weft/core'
import { pino } from 'pino'
import { LineLimiter } from './line-limiter.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** The log of a daemon: the port that every package writes to, and errors in their three parts. */
export interface DaemonLog extends Logger {
  /** An error as {code, cause, fix}; its stack, which names paths and not remedies, at debug only. */
  failure(message: string, error: unknown): void
}

/**
 * Lines of JSON to `destination`. Secrets are kept out by never being passed in; there is no list of what to hide.
 * Whoever asks for debug gets every line; above it a message that comes very often is cut.
 */
export function createDaemonLog(level: LogLevel, destination: { write(line: string): void }): DaemonLog {
  const lines = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  const limiter = new LineLimiter()
  const at =
    (name: Exclude<LogLevel, 'debug'>) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (!lines.isLevelEnabled(name)) return
      const added = limiter.admit(message)
      if (added !== undefined || lines.isLevelEnabled('debug')) lines[name]({ ...fields, ...added }, message)
    }
  return {
    debug: (message, fields = {}) => lines.debug(fields, message),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    failure(message, error) {
      const weft = error instanceof WeftError ? error : undefined
      lines.error(
        weft === undefined
          ? {
              code: 'E_INTERNAL',
              cause: error instanceof Error ? error.message : String(error),
              fix: 'Please report this to the project, with the lines of the log around it.',
            }
          : { code: weft.code, cause: weft.cause, fix: weft.fix },
        message,
      )
      lines.debug({ stack: stackOf(weft?.origin ?? error) }, message)
    },
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
