import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { connect } from 'node:tls'
import { Scope, silentLogger, systemClock } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import { createTransport } from '../../packages/overlay/src/transport/create-transport.ts'
import { KEY_EXCHANGE } from '../../packages/overlay/src/transport/tls/tls-encrypter.ts'
import type { BenchResult } from '../lib/bench-result.ts'
import { measure } from '../lib/measure.ts'
import { measureBeside } from '../lib/measure-beside.ts'

/** Calls per sample; the sample is their median. */
const CALLS = 1_000
const CHUNK = new Uint8Array(1024 * 1024)
const CHUNKS = 256

/** Calls and one bulk stream to another process on loopback; the bulk beside Node's own TLS, without any muxer. */
export default async function bench(): Promise<BenchResult> {
  const peer = spawn(process.execPath, [new URL('peer.ts', import.meta.url).pathname], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(peer.stdout), 'line')) as [string]
  const { id, addresses, tlsPort } = JSON.parse(line) as { id: DidKey; addresses: string[]; tlsPort: number }
  await using scope = new Scope({ name: 'bench' })
  scope.defer('peer', () => peer.stdin.end())
  const transport = await createTransport({
    networkId: 'bench',
    key: SigningKey.generate(),
    listen: [],
    clock: systemClock,
    logger: silentLogger,
    scope,
    access: { allows: () => true },
    lookup: () => addresses,
  })
  await transport.connect(id)
  const calls = await measure(async () => {
    const times: number[] = []
    for (let i = 0; i < CALLS; i++) {
      const start = performance.now()
      await transport.call(id, 'map.head', {})
      times.push(performance.now() - start)
    }
    return times.toSorted((a, b) => a - b)[CALLS / 2] ?? Number.NaN
  })
  const bulk = await measureBeside(
    async () => {
      const stream = await transport.open(id, 'shard')
      const start = performance.now()
      for (let i = 0; i < CHUNKS; i++) await stream.write(CHUNK)
      await stream.closeWrite()
      for await (const _ of stream.incoming);
      return rate(start)
    },
    async () => {
      const socket = connect({ host: '127.0.0.1', port: tlsPort, rejectUnauthorized: false, ecdhCurve: KEY_EXCHANGE })
      await once(socket, 'secureConnect')
      const start = performance.now()
      for (let i = 0; i < CHUNKS; i++) if (!socket.write(CHUNK)) await once(socket, 'drain')
      socket.resume().end()
      await once(socket, 'end')
      return rate(start)
    },
  )
  return {
    name: 'overlay-transport',
    rows: [
      { what: 'call, p50 of 1,000, one after the other', unit: 'ms', ...calls, goal: 0.3 },
      {
        what: 'one bulk stream, 256 MiB',
        unit: 'MB/s',
        ...bulk.ours,
        goal: 300,
        peer: 'node:tls on one socket',
        ratioToPeer: bulk.ours.median / bulk.peer.median,
      },
    ],
    notes: [
      'Two processes on loopback, TLS 1.3 with X25519MLKEM768 and AES-256-GCM. What is left to plain TLS is the copy of each frame into one record batch and the lists of the muxer.',
    ],
  }
}

function rate(start: number): number {
  return (CHUNKS * CHUNK.length) / 1e6 / ((performance.now() - start) / 1_000)
}
