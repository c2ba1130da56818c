import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NAMES = ['empty', 'small+name %41', join('sub dir', 'ü', '日本 🧵'), 'large']

/** Files with names and sizes that clients stumble over. */
export function writeFiles(directory: string): void {
  mkdirSync(join(directory, 'sub dir', 'ü'), { recursive: true })
  const contents = ['', 'small', 'unicode', randomBytes(17 << 20)]
  for (const [at, name] of NAMES.entries()) writeFileSync(join(directory, name), contents[at] ?? '')
}

export function sameFiles(one: string, other: string): void {
  for (const name of NAMES) assert.ok(readFileSync(join(one, name)).equals(readFileSync(join(other, name))), name)
}

/** Runs a program with nothing of this environment but the path; it has to end well. */
export async function runClient(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const child = spawn(program, args, { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  child.stdout.on('data', (data) => (out += String(data)))
  child.stderr.on('data', (data) => (out += String(data)))
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  assert.equal(status, 0, `${program} ${args[0]}\n${out}`)
  return out
}
