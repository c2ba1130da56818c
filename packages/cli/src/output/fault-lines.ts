import type { Fault } from '@weft/core'
import type { Output } from './output.ts'

/** A fault as two lines for people. */
export function faultLines(fault: Fault, output: Output): string[] {
  return [`  ${output.styled('red', fault.code)}: ${fault.cause}`, `    Fix: ${fault.fix}`]
}
