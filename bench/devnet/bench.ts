import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { measure } from '../lib/measure.ts'

// The network of twelve processes as people run it: the built command, real files, real disks, one machine.

const WEFT = join(import.meta.dirname, '..', '..', 'dist', 'weft.js')
const BASE_PORT = 29_000
const SIZE = 100_000_000
const MEGA = 1e6

interface Up {
  readonly nodes: readonly { readonly name: string; readonly pid: number }[]
}

function weft(args: readonly string[], home?: string): Promise<{ readonly text: string; readonly ms: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ text: string; ms: number }>()
  const started = performance.now()
  const env = home === undefined ? process.env : { ...process.env, WEFT_HOME: home }
  const child = spawn(process.execPath, [WEFT, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  child.once('close', (code) => {
    if (code === 0) resolve({ text: Buffer.concat(out).toString(), ms: performance.now() - started })
    else reject(new Error(`weft ${args.join(' ')} ended with ${code}: ${Buffer.concat(errors).toString()}`))
  })
  return promise
}

/** Resident memory of a process, MB; Linux only, as the bench. */
function rssOf(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(kilobytes) * 1024) / MEGA
}

const bench: Bench = async () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-bench-'))
  const net = join(directory, 'net')
  const home = join(net, 'client')
  const file = join(directory, 'file.bin')
  const back = join(directory, 'back.bin')
  const start = ['devnet', 'up', '--nodes', '12', '--dir', net, '--base-port', String(BASE_PORT), '--detach', '--json']
  const rows: BenchRow[] = []
  try {
    writeFileSync(file, randomBytes(SIZE))
    let up: Up = { nodes: [] }
    const ready = await measure(
      async () => {
        await weft(['devnet', 'down', '--dir', net, '--erase']).catch(() => {})
        const { text, ms } = await weft(start)
        up = JSON.parse(text) as Up
        return ms / 1000
      },
      { warmup: 0 },
    )
    rows.push({ what: '12 nodes in a signed map, from nothing', unit: 's', ...ready, goal: 20 })

    const memory = await measure(() => Math.max(...up.nodes.map(({ pid }) => rssOf(pid))), { warmup: 0 })
    rows.push({ what: 'RSS of the largest idle node', unit: 'MB', ...memory, goal: 140 })

    const status = await measure(async () => (await weft(['status', '--json'], home)).ms)
    rows.push({ what: 'weft status', unit: 'ms', ...status, goal: 250 })
    const help = await measure(async () => (await weft(['--help'])).ms)
    rows.push({ what: 'weft --help', unit: 'ms', ...help, goal: 120 })

    let ref = ''
    const put = await measure(async () => {
      const { text, ms } = await weft(['put', file, '--class', 'tiny', '--json'], home)
      ref = (JSON.parse(text) as { ref: string }).ref
      return SIZE / MEGA / (ms / 1000)
    })
    rows.push({ what: 'put 100 MB, class tiny', unit: 'MB/s', ...put, goal: 80 })
    const get = await measure(async () => {
      const { ms } = await weft(['get', ref, '-o', back, '--force'], home)
      return SIZE / MEGA / (ms / 1000)
    })
    if (!readFileSync(back).equals(readFileSync(file))) throw new Error('what came back differs from what was put')
    rows.push({ what: 'get 100 MB, class tiny', unit: 'MB/s', ...get, goal: 80 })
    const client = up.nodes.find(({ name }) => name === 'client')
    if (client !== undefined) {
      const after = await measure(() => rssOf(client.pid), { warmup: 0 })
      rows.push({ what: 'RSS of the client after these', unit: 'MB', ...after, goal: 300 })
    }
  } finally {
    await weft(['devnet', 'down', '--dir', net, '--erase']).catch(() => {})
    rmSync(directory, { recursive: true, force: true })
  }
  return {
    name: 'devnet',
    rows,
    notes: [
      'Whole commands, from the start of the process to its end; every put writes and syncs 300 MB of shards on one disk.',
      'Client, nine holders and the command share two cores.',
    ],
  }
}

export default bench
