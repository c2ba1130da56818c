import type { Invocation } from './invocation.ts'
import { secretArgument } from './secret-argument.ts'

/**
 * The reference that a command is given as its first argument, or on standard input: it holds the key of its object.
 * @throws WeftError E_USAGE, E_INTERRUPTED, E_TIMEOUT
 */
export function referenceArgument(invocation: Invocation): Promise<string> {
  // The API takes 512 characters.
  return secretArgument(invocation, { name: 'reference', limit: 1024, source: 'weft put' })
}
