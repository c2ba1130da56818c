import { nativeBytes } from '../udp/linux-socket-calls.ts'
import { AF_INET, AF_INET6, type IsWanted, dumpMessage, readDump } from './conntrack-messages.ts'

/** Numbers of Linux on x86-64 and arm64 (asm-generic/socket.h, linux/netlink.h). */
const AF_NETLINK = 16
const NETLINK_NETFILTER = 12
const SOCK_RAW_CLOEXEC = 3 | 0o2000000
const MSG_DONTWAIT = 0x40
/** The most that the kernel gives of a dump at once. */
const PART_BYTES = 32 * 1024

interface LinuxNetlinkCalls {
  socket(): number
  /** In a thread of libuv's pool, as `receive`: the kernel looks through the whole table. `done` is told the result, -1 for a failure. */
  send(fd: number, bytes: Uint8Array, done: (result: number) => void): void
  receive(fd: number, into: Uint8Array, done: (result: number) => void): void
  close(fd: number): number
}

/** Removes entries of the system's connection tracking, for which it has no tool of its own (conntrack(8) is another package). */
export class LinuxConntrack {
  readonly #calls: LinuxNetlinkCalls

  private constructor(calls: LinuxNetlinkCalls) {
    this.#calls = calls
  }

  /** @throws Error when koffi fails */
  static async load(): Promise<LinuxConntrack> {
    const { default: koffi } = await import('koffi')
    const libc = koffi.load(null)
    const socket = libc.func('socket', 'int', ['int', 'int', 'int'])
    const send = libc.func('send', 'long', ['int', 'void *', 'ulong', 'int'])
    const receive = libc.func('recv', 'long', ['int', 'void *', 'ulong', 'int'])
    return new LinuxConntrack({
      socket: () => socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_NETFILTER) as number,
      send: (fd, bytes, done) => {
        send.async(fd, bytes, bytes.length, 0, (_: unknown, result: unknown) => done(Number(result)))
      },
      // The kernel has the next part ready before it gives one: where there is none, none comes.
      receive: (fd, into, done) => {
        receive.async(fd, into, into.length, MSG_DONTWAIT, (_: unknown, result: unknown) => done(Number(result)))
      },
      close: libc.func('close', 'int', ['int']) as LinuxNetlinkCalls['close'],
    })
  }

  /** Removes all entries that are wanted. @throws Error when the kernel does not give them */
  async remove(isWanted: IsWanted): Promise<void> {
    for (const family of [AF_INET, AF_INET6]) await this.#removeOf(family, isWanted)
  }

  async #removeOf(family: number, isWanted: IsWanted): Promise<void> {
    const calls = this.#calls
    const [reads, writes] = [calls.socket(), calls.socket()]
    try {
      if (reads < 0 || writes < 0) throw new Error('the kernel has no netlink for connection tracking')
      await this.#send(reads, dumpMessage(family))
      const room = nativeBytes(PART_BYTES)
      for (let isLast = false; !isLast;) {
        const length = await new Promise<number>((resolve) => calls.receive(reads, room, resolve))
        if (length <= 0) throw new Error('the kernel did not give all entries of connection tracking')
        const part = readDump(Buffer.from(room.buffer, 0, length), isWanted)
        isLast = part.isLast
        // Of those that ended meanwhile the kernel says so, to nobody who listens.
        if (part.removals.length > 0) await this.#send(writes, Buffer.concat(part.removals))
      }
    } finally {
      for (const fd of [reads, writes]) if (fd >= 0) calls.close(fd)
    }
  }

  async #send(fd: number, message: Uint8Array): Promise<void> {
    // Memory that V8 does not move while another thread reads it.
    const bytes = nativeBytes(message.length)
    bytes.set(message)
    const sent = await new Promise<number>((resolve) => this.#calls.send(fd, bytes, resolve))
    if (sent !== message.length) throw new Error('the kernel takes no questions about connection tracking')
  }
}
