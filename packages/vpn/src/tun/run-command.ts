import { spawn } from 'node:child_process'
import { messageOf } from '@weft/core'

/** Bytes of what a command says that are kept. */
const MOST = 4 * 1024 * 1024
/** Where programs of the system stand, also where PATH of a service does not name them. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'
export const COMMAND_ENVIRONMENT = { PATH, LC_ALL: 'C' } as const

/**
 * Runs a program of the system with `input` and returns what it printed.
 * @throws Error with its name and the first line of its complaint
 */
export function runCommand(program: string, words: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { env: COMMAND_ENVIRONMENT, stdio: 'pipe' })
    let out = ''
    let complaint = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (out.length < MOST) out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < MOST) complaint += text
    })
    child.on('error', (error) => reject(new Error(`${program}: ${messageOf(error)}`)))
    child.on('close', (code) => {
      if (code === 0) resolve(out)
      else reject(new Error(`${program}: ${complaint.trim().split('\n')[0] ?? ''} (exit code ${code})`))
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
