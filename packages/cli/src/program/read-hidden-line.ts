import { orAborted } from '@weft/core'
import type { Output } from '../output/output.ts'

const ENTER = new Set(['\r', '\n', '\u0004'])
const RUB_OUT = new Set(['\u007f', '\b'])
const CTRL_C = '\u0003'

/**
 * A line that is typed at a terminal and not shown.
 * @param limit characters; what is typed beyond it is not taken
 * @param interrupt what Ctrl-C does, which the terminal does not do itself meanwhile
 * @throws WeftError as the signal says
 */
export async function readHiddenLine(
  prompt: string,
  limit: number,
  { output, signal }: { readonly output: Output; readonly signal: AbortSignal },
  stdin: NodeJS.ReadStream = process.stdin,
  interrupt: () => void = () => process.kill(process.pid, 'SIGINT'),
): Promise<string> {
  output.stderr.write(prompt)
  stdin.setRawMode(true)
  try {
    return await orAborted(typed(stdin, limit, interrupt), signal)
  } finally {
    stdin.setRawMode(false)
    stdin.destroy()
    output.stderr.write('\n')
  }
}

async function typed(stdin: NodeJS.ReadStream, limit: number, interrupt: () => void): Promise<string> {
  let line: string[] = []
  for await (const chunk of stdin.setEncoding('utf8') as AsyncIterable<string>) {
    for (const one of chunk) {
      if (ENTER.has(one)) return line.join('')
      if (one === CTRL_C) interrupt()
      else if (RUB_OUT.has(one)) line = line.slice(0, -1)
      else if (line.length < limit) line.push(one)
    }
  }
  return line.join('')
}
