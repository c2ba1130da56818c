import { SocksAssociation, datagramTo } from '../vpn/socks-associate.ts'

/** ms after the last datagram in which answers still count. */
const LATE_MS = 1_000

export interface PacedFigures {
  /** ms there and back. */
  readonly p50: number
  readonly p99: number
  readonly lost: number
}

/** Datagrams of 200 bytes to a UDP server and back, one every `everyMs`, as a call has them: over routes of their own where `user` is another's. */
export async function echoPaced(
  proxy: number,
  target: number,
  { everyMs, count, user }: { readonly everyMs: number; readonly count: number; readonly user?: string },
): Promise<PacedFigures> {
  using association = await SocksAssociation.open(proxy, user)
  const sentAt = new Map<number, number>()
  const times: number[] = []
  association.socket.on('message', (datagram: Buffer) => {
    const at = sentAt.get(datagram.readUInt32BE(10))
    if (at !== undefined) times.push(performance.now() - at)
  })
  const began = performance.now()
  for (let index = 0; index < count; index++) {
    const wait = began + index * everyMs - performance.now()
    if (wait > 0) await new Promise((resume) => setTimeout(resume, wait))
    const content = Buffer.alloc(200)
    content.writeUInt32BE(index)
    sentAt.set(index, performance.now())
    association.send(datagramTo(target, content))
  }
  await new Promise((resume) => setTimeout(resume, LATE_MS))
  times.sort((one, other) => one - other)
  const at = (part: number): number => times[Math.ceil(part * times.length) - 1] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), lost: count - times.length }
}
