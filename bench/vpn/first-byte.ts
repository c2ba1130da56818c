import { once } from 'node:events'
import { connect } from 'node:net'
import type { ProxyPort } from './curl.ts'
import { socksConnect } from './socks-connect.ts'

const REQUEST = 'GET /1 HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n'

/** ms. */
export interface FirstByte {
  readonly p50: number
  readonly p99: number
}

/** Time from a new connection to the first byte of the answer to a GET, of `count` one after the other. */
export async function firstByte(proxy: ProxyPort, target: number, count: number): Promise<FirstByte> {
  const times: number[] = []
  for (let done = 0; done < count; done++) times.push(await measureOnce(proxy, target))
  times.sort((a, b) => a - b)
  const at = (part: number): number => times[Math.ceil(part * count) - 1] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}

async function measureOnce(proxy: ProxyPort, target: number): Promise<number> {
  const started = performance.now()
  const socket =
    proxy === undefined
      ? connect({ host: '127.0.0.1', port: target, noDelay: true })
      : await socksConnect(proxy, target)
  socket.write(REQUEST)
  await once(socket, 'data')
  const ms = performance.now() - started
  socket.destroy()
  return ms
}
