import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BenchDevnet, type DevnetUp, weft } from '../lib/bench-devnet.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { MACHINE_NOTE, machineRow } from '../lib/machine-row.ts'
import { measure } from '../lib/measure.ts'
import { rssOf } from '../lib/rss-of.ts'

// The network of twelve processes as people run it: the built command, real files, real disks, one machine.

const BASE_PORT = 29_000
const SIZE = 100_000_000
const MEGA = 1e6

const bench: Bench = async () => {
  await using devnet = new BenchDevnet(BASE_PORT)
  const home = devnet.client
  const file = join(devnet.directory, 'file.bin')
  const back = join(devnet.directory, 'back.bin')
  const rows: BenchRow[] = []
  writeFileSync(file, randomBytes(SIZE))
  let nodes: DevnetUp['nodes'] = []
  const ready = await measure(
    async () => {
      const up = await devnet.up()
      nodes = up.nodes
      return up.ms / 1000
    },
    { warmup: 0 },
  )
  rows.push({ what: '12 nodes in a signed map, from nothing', unit: 's', ...ready, goal: 20 })

  const memory = await measure(() => Math.max(...nodes.map(({ pid }) => rssOf(pid))), { warmup: 0 })
  rows.push({ what: 'RSS of the largest idle node', unit: 'MB', ...memory, goal: 140 })

  rows.push(await machineRow())

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
  const client = nodes.find(({ name }) => name === 'client')
  if (client !== undefined) {
    const after = await measure(() => rssOf(client.pid), { warmup: 0 })
    rows.push({ what: 'RSS of the client after these', unit: 'MB', ...after, goal: 300 })
  }
  return {
    name: 'devnet',
    rows,
    notes: [
      'Whole commands, from the start of the process to its end; every put writes and syncs 300 MB of shards on one disk.',
      'Client, nine holders and the command share two cores.',
      MACHINE_NOTE,
      "Where the daemons' time of a put goes (perf, cpu-clock, three puts; both cores were busy 94 % of it): 28 % the coding thread of the client (SHA-256 and Reed-Solomon in WebAssembly 61 % of that, copies from and to shared memory 17 %, AES 11 %), 16 % its main thread (TLS, sockets), 37 % the main threads of the holders (TLS, yamux, events, CRC-32), 11 % their disk threads (copies to the page cache), 8 % garbage collection. So 80 MB/s needs about half of the work, or twice the processor; one thread more would not help.",
      'Where the processor time of a get goes (perf, cpu-clock, four gets on a busy machine): 39 % the main threads of the holders, 7 % their garbage collection and 1 % their disk threads; 18 % the main thread of the client, 14 % its coding thread, 3 % its garbage collection; 12 % the main thread of the command, 4 % its disk threads, 2 % its garbage collection. So half of it is the holders, a third the client, and a sixth the command, of which a quarter is its start.',
    ],
  }
}

export default bench
