import { WeftError } from '@weft/core'
import { EXIT } from './exit-code.ts'

let further: () => void = () => process.exit(EXIT.interrupted)

/** What a signal after the first one does; without it the process ends at once. */
export function onFurtherInterrupt(action: () => void): void {
  further = action
}

/**
 * The signal that Ctrl-C, SIGTERM and SIGHUP (the terminal was closed) fire: every wait of a command ends by it, and
 * what the command holds is put away in order.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) further()
      else controller.abort(interruptedError(name))
    })
  }
  return controller.signal
}

function interruptedError(name: string): WeftError {
  return new WeftError({
    code: 'E_INTERRUPTED',
    cause:
      name === 'SIGINT'
        ? 'Interrupted by Ctrl-C; nothing half done is left.'
        : `Interrupted by ${name}; nothing half done is left.`,
    fix: 'Run the command again if that was not intended.',
    retryable: true,
  })
}
