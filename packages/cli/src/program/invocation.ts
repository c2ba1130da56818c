import { WeftError } from '@weft/core'
import type { Output } from '../output/output.ts'
import type { DescribedCommand } from './described-command.ts'
import { parseDuration } from './duration.ts'
import { usageError } from './usage-error.ts'

/** One run of a command: what was given, where output goes, and the signal that Ctrl-C and --timeout fire. */
export class Invocation {
  readonly args: readonly string[]
  readonly output: Output
  readonly signal: AbortSignal
  readonly env: NodeJS.ProcessEnv
  /** All that there are: for what describes them. */
  readonly commands: readonly DescribedCommand[]
  readonly #options: Readonly<Record<string, unknown>>

  constructor(init: {
    args: readonly string[]
    options: Readonly<Record<string, unknown>>
    output: Output
    signal: AbortSignal
    env: NodeJS.ProcessEnv
    commands: readonly DescribedCommand[]
  }) {
    this.args = init.args
    this.output = init.output
    this.env = init.env
    this.commands = init.commands
    this.#options = init.options
    const timeoutMs = this.duration('timeout')
    this.signal = timeoutMs === undefined ? init.signal : AbortSignal.any([init.signal, timeoutSignal(timeoutMs)])
  }

  /** An argument that the parser made sure of. */
  argument(index: number): string {
    const value = this.args[index]
    if (value === undefined) throw new RangeError(`argument ${index} is not declared as required`)
    return value
  }

  flag(name: string): boolean {
    return this.#options[name] === true
  }

  text(name: string): string | undefined {
    const value = this.#options[name]
    return typeof value === 'string' ? value : undefined
  }

  /** Of an option that may be given several times. */
  texts(name: string): readonly string[] {
    const value = this.#options[name]
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
  }

  /** ms. @throws WeftError E_USAGE, also of one that is shorter than `min` seconds */
  duration(name: string, min = 0): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const ms = parseDuration(text, optionName(name))
    if (ms >= min * 1_000) return ms
    throw usageError(`${optionName(name)} '${text}' is too short.`, `Give ${min}s or more.`)
  }

  /** @throws WeftError E_USAGE unless it is a whole number from min to max */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw usageError(
      `${optionName(name)} '${text}' is no number from ${min} to ${max}.`,
      `Give ${optionName(name)} a whole number from ${min} to ${max}.`,
    )
  }
}

/** basePort → --base-port */
function optionName(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function timeoutSignal(ms: number): AbortSignal {
  const controller = new AbortController()
  const timer = setTimeout(() => {
    controller.abort(
      new WeftError({
        code: 'E_TIMEOUT',
        cause: `It was not done within ${ms / 1_000} s.`,
        fix: 'Give it longer with --timeout, or see what holds it up: weft check.',
        retryable: true,
      }),
    )
  }, ms)
  timer.unref()
  return controller.signal
}
