import { readFileSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { type Clock, WeftError, addressReach, messageOf, toHex } from '@weft/core'
import { MAX_IP_PACKET_BYTES, ipFromBytes } from '@weft/onion'
import type { FlushQueue } from '../engine/flush-queue.ts'
import { loadLinuxTunCalls } from '../tun/linux-tun.ts'
import { runCommand } from '../tun/run-command.ts'
import type { TunCounters } from '../tun/tun-counters.ts'
import { TunPort } from '../tun/tun-port.ts'
import { Departures } from './departures.ts'
import { flowLimits } from './flow-limits.ts'
import { IpNetwork } from './ip-network.ts'
import { sharedRules, stillOpened } from './ip-way-out-rules.ts'
import { LinuxConntrack } from './linux-conntrack.ts'

export interface IpWayOutInit {
  readonly nodeKey: Uint8Array
  readonly queue: FlushQueue
  readonly clock: Clock
  readonly onPacket: (bytes: Uint8Array, length: number) => void
  readonly onGone: (fault: WeftError) => void
}

const IPV4 = '/proc/sys/net/ipv4/conf'
const MOST_FLOWS = '/proc/sys/net/netfilter/nf_conntrack_max'
const IPV6_FORWARDING = '/proc/sys/net/ipv6/conf/all/forwarding'

interface Parts {
  readonly network: IpNetwork
  readonly port: TunPort
  readonly name: string
  readonly opened: readonly string[]
  readonly conntrack: LinuxConntrack
  readonly departures: Departures
}

/** An exit's interface for the IP packets of its clients, and the rules of the system by which they leave under the exit's own address. */
export class IpWayOut {
  readonly network: IpNetwork
  readonly #port: TunPort
  readonly #name: string
  /** Interfaces on which forwarding was off. */
  readonly #opened: readonly string[]
  readonly #conntrack: LinuxConntrack
  readonly #departures: Departures
  #isClosed = false

  private constructor({ network, port, name, opened, conntrack, departures }: Parts) {
    this.network = network
    this.#port = port
    this.#name = name
    this.#opened = opened
    this.#conntrack = conntrack
    this.#departures = departures
  }

  /** @throws WeftError E_EXIT_IP */
  static async open(init: IpWayOutInit): Promise<IpWayOut> {
    const name = `weftx${toHex(init.nodeKey).slice(0, 8)}`
    try {
      return await IpWayOut.#open(name, init)
    } catch (error) {
      throw unavailable(messageOf(error))
    }
  }

  static async #open(name: string, { nodeKey, queue, clock, onPacket, onGone }: IpWayOutInit): Promise<IpWayOut> {
    const calls = await loadLinuxTunCalls()
    const port = new TunPort(calls, {
      name,
      mostBytes: MAX_IP_PACKET_BYTES,
      queue,
      onPacket,
      onGone: (error) => onGone(unavailable(messageOf(error))),
    })
    try {
      const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
      const network = IpNetwork.of(
        nodeKey,
        all.map(({ address }) => address),
        // IPv6 has no switch for one interface: whether this machine forwards it at all is its operator's to say.
        readText(IPV6_FORWARDING) === '1' &&
          all.some(({ family, address }) => family === 'IPv6' && addressReach(address) === 'global'),
      )
      await runCommand('ip', ['-batch', '-'], interfaceLines(name, network))
      const opened = [...new Set([...(await stillOpened(name)), ...closedRoutes(name)])]
      await putRules(name, network, opened)
      const conntrack = await LinuxConntrack.load()
      // What a process that was killed left is counted by nobody.
      await removeFlows(conntrack, network)
      for (const each of [name, ...opened]) writeFileSync(`${IPV4}/${each}/forwarding`, '1')
      const departures = new Departures(clock, (numbers) => removeFlows(conntrack, network, numbers))
      return new IpWayOut({ network, port, name, opened, conntrack, departures })
    } catch (error) {
      port.close()
      await runCommand('nft', ['delete', 'table', 'inet', name]).catch(() => {})
      throw error
    }
  }

  /** Packets come from now on. */
  start(): void {
    this.#port.start()
  }

  /** What went through its interface. */
  get counters(): Readonly<TunCounters> {
    return this.#port.counters
  }

  write(packet: Uint8Array): void {
    this.#port.room.set(packet)
    this.#port.write(packet.length)
  }

  /** Has the system forget what a client began. Never rejects. */
  async release(number: number): Promise<void> {
    // What it sent last is written by the end of this turn.
    await setImmediate()
    await this.#departures.add(number)
  }

  /** Takes the interface, the rules and the forwarding away again. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#port.close()
    for (const each of this.#opened) {
      try {
        writeFileSync(`${IPV4}/${each}/forwarding`, '0')
      } catch {
        // The interface is gone.
      }
    }
    await this.#departures.close()
    await removeFlows(this.#conntrack, this.network)
    await runCommand('nft', ['delete', 'table', 'inet', this.#name]).catch(() => {})
  }
}

async function putRules(name: string, network: IpNetwork, opened: readonly string[]): Promise<void> {
  const put = (max: string): Promise<string> =>
    runCommand('nft', ['-f', '-'], sharedRules(name, network, opened, flowLimits(Number(max))))
  // The first rule that asks for it loads connection tracking.
  if (readText(MOST_FLOWS) === '') await put('0')
  await put(readText(MOST_FLOWS))
}

/**
 * Of clients with these numbers, or of all. Where the kernel cannot (without nf_conntrack_netlink) they end by themselves:
 * docs/known-issues.md, Routes.
 */
async function removeFlows(
  conntrack: LinuxConntrack,
  network: IpNetwork,
  numbers?: ReadonlySet<number>,
): Promise<void> {
  const isWanted = (bytes: Uint8Array, at: number, length: number): boolean => {
    const number = network.numberAt(bytes, at, length)
    return number >= 0 && (numbers?.has(number) ?? true)
  }
  await conntrack.remove(isWanted).catch(() => {})
}

/** Lines of ip-batch(8). */
function interfaceLines(name: string, network: IpNetwork): string {
  const { own4, own6, cidr4, cidr6, hasIPv6 } = network
  return [
    `link set dev ${name} mtu ${MAX_IP_PACKET_BYTES}`,
    `address add ${ipFromBytes(own4)}/${cidr4.split('/')[1]} dev ${name}`,
    ...(hasIPv6 ? [`address add ${ipFromBytes(own6)}/${cidr6.split('/')[1]} dev ${name} nodad`] : []),
    `link set dev ${name} up`,
    '',
  ].join('\n')
}

/** Interfaces with routes on which this machine forwards nothing that comes in: replies to clients come in by them. */
function closedRoutes(own: string): string[] {
  const names = readText('/proc/net/route')
    .split('\n')
    .slice(1)
    .flatMap((line) => line.split('\t')[0] ?? [])
  return [...new Set(names)].filter(
    (name) => name !== '' && name !== own && name !== 'lo' && readText(`${IPV4}/${name}/forwarding`) === '0',
  )
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

function unavailable(why: string): WeftError {
  return new WeftError({
    code: 'E_EXIT_IP',
    cause: `This exit was told to carry IP packets (exit.ip), and cannot: ${why}.`,
    fix: 'It needs Linux, root (or CAP_NET_ADMIN), /dev/net/tun, ip and nft, and /proc/sys that can be written; then restart it. Or set exit.ip to off: TCP, UDP and names are carried all the same.',
  })
}
