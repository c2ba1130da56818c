import { isWeftError } from '@weft/core'

/** Prints why a script could not do its work and ends the process with code 1; a defect keeps its stack. */
export function failWith(error: unknown): never {
  const text = isWeftError(error) || !(error instanceof Error) ? String(error) : (error.stack ?? error.message)
  process.stderr.write(`${text}\n`)
  process.exit(1)
}
