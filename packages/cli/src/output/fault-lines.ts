import { printable } from '@weft/core'
import type { Fault } from '@weft/core'
import type { Output } from './output.ts'

/** A fault as two lines for people; another node may have chosen some of its words. */
export function faultLines(fault: Fault, output: Output): string[] {
  return [`  ${output.styled('red', fault.code)}: ${printable(fault.cause)}`, `    Fix: ${printable(fault.fix)}`]
}
