import { VIRTIO_BYTES } from './virtio-header.ts'

/** Numbers of Linux on x86-64 and arm64 (asm-generic/fcntl.h, linux/if_tun.h). */
const O_RDWR_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000
const O_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000
const TUNSETIFF = 0x400454ca
const TUNGETFEATURES = 0x800454cf
const TUNSETOFFLOAD = 0x400454d0
const TUNSETVNETHDRSZ = 0x400454d8
const IFF_TUN = 1
const IFF_NO_PI = 0x1000
const IFF_VNET_HDR = 0x4000
const EAGAIN = 11
const EINVAL = 22
const POLLIN = 1
/** Bytes of struct ifreq; of the name in it, its end included; and where its flags are. */
const REQUEST_BYTES = 40
const NAME_BYTES = 16
const DEVICE = '/dev/net/tun'
/** Of TUNSETOFFLOAD: open checksums, super-packets of TCP over IPv4 and IPv6, of UDP over either (Linux 6.2). */
const CHECKSUM = 0x01
const TCP = 0x02 | 0x04
const UDP = 0x20 | 0x40

/** The system calls of a TUN device. Each gives -1 on failure, when {@link errno} says why. */
export interface LinuxTunCalls {
  open(path: string, flags: number): number
  ioctl(fd: number, request: number, argument: Uint8Array): number
  /** The same for requests whose argument is a number. */
  ioctlNumber(fd: number, request: number, argument: number): number
  read(fd: number, bytes: Uint8Array, length: number): number
  write(fd: number, bytes: Uint8Array, length: number): number
  close(fd: number): number
  /** @param timeout struct timespec; null waits until something happens */
  ppoll(descriptors: Uint8Array, count: number, timeout: Uint8Array | null, mask: null): number
  /** A descriptor that can be read once it was written to (eventfd(2)). */
  eventfd(): number
  /** As ppoll, in a thread of libuv's pool; `done` is called on this one. The arguments must stay where they are until then. */
  waitForReadable(descriptors: Uint8Array, count: number, timeout: Uint8Array, done: () => void): void
  /** Of the last call on this thread. */
  errno(): number
  errorName(errno: number): string
}

/** @throws Error when this machine has no such calls: not Linux on a 64-bit little-endian processor, or koffi fails */
export async function loadLinuxTunCalls(): Promise<LinuxTunCalls> {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64'))
    throw new Error(`not available on ${process.platform} ${process.arch}`)
  const { default: koffi } = await import('koffi')
  const libc = koffi.load(null)
  const names = new Map(Object.entries(koffi.os.errno).map(([name, errno]) => [errno, name]))
  const ppoll = libc.func('ppoll', 'int', ['void *', 'ulong', 'void *', 'void *'])
  const eventfd = libc.func('eventfd', 'int', ['uint', 'int'])
  return {
    open: libc.func('open', 'int', ['str', 'int']) as LinuxTunCalls['open'],
    ioctl: libc.func('ioctl', 'int', ['int', 'ulong', 'void *']) as LinuxTunCalls['ioctl'],
    ioctlNumber: libc.func('ioctl', 'int', ['int', 'ulong', 'ulong']) as LinuxTunCalls['ioctlNumber'],
    read: libc.func('read', 'long', ['int', 'void *', 'ulong']) as LinuxTunCalls['read'],
    write: libc.func('write', 'long', ['int', 'void *', 'ulong']) as LinuxTunCalls['write'],
    close: libc.func('close', 'int', ['int']) as LinuxTunCalls['close'],
    ppoll: ppoll as LinuxTunCalls['ppoll'],
    eventfd: () => eventfd(0, O_NONBLOCK_CLOEXEC) as number,
    waitForReadable: (descriptors, count, timeout, done) => {
      ppoll.async(descriptors, count, timeout, null, () => done())
    },
    errno: () => koffi.errno(),
    errorName: (errno) => names.get(errno) ?? `errno ${errno}`,
  }
}

/** What an interface takes and gives besides single packets with all their checksums. */
export interface TunOffload {
  /** Each packet is read and written behind a virtio_net_hdr. */
  readonly virtio: boolean
  /** Super-packets. */
  readonly tcp: boolean
  readonly udp: boolean
}

/** An IP interface whose packets this process reads and writes, one or a super-packet a call. It goes with the last descriptor of it. */
export class LinuxTun implements Disposable {
  readonly fd: number
  readonly name: string
  readonly offload: TunOffload
  readonly #calls: LinuxTunCalls
  #open = true

  /**
   * @param name at most 15 bytes
   * @param wantsOffload whether what the system has of it is taken
   * @throws Error with the system's name of what is wrong, such as EPERM, EBUSY, ENOENT
   */
  constructor(calls: LinuxTunCalls, name: string, wantsOffload = false) {
    const bytes = Buffer.from(name, 'utf8')
    if (bytes.length === 0 || bytes.length >= NAME_BYTES) throw new RangeError(`'${name}' is no name of an interface`)
    const fail = (what: string): Error => new Error(`${what}: ${calls.errorName(calls.errno())}`)
    this.#calls = calls
    this.name = name
    this.fd = calls.open(DEVICE, O_RDWR_NONBLOCK_CLOEXEC)
    if (this.fd < 0) throw fail(DEVICE)
    const attach = (flags: number): boolean => {
      const request = Buffer.alloc(REQUEST_BYTES)
      bytes.copy(request)
      request.writeUInt16LE(IFF_TUN | IFF_NO_PI | flags, NAME_BYTES)
      return calls.ioctl(this.fd, TUNSETIFF, request) >= 0
    }
    const virtio = wantsOffload && hasVirtio(calls, this.fd)
    if (!attach(virtio ? IFF_VNET_HDR : 0)) {
      const error = fail(`the interface ${name}`)
      calls.close(this.fd)
      throw error
    }
    this.offload = virtio ? takeOffload(calls, this.fd) : { virtio, tcp: false, udp: false }
  }

  /** The next packet into `into`; its bytes, 0 when there is none. @throws Error when the device is gone */
  read(into: Uint8Array): number {
    const length = this.#calls.read(this.fd, into, into.length)
    if (length >= 0) return length
    const errno = this.#calls.errno()
    if (errno === EAGAIN) return 0
    throw new Error(`${this.name}: ${this.#calls.errorName(errno)}`)
  }

  /** Whether the system took the first `length` bytes. It refuses what is no IP packet, and all while the interface is down. */
  write(packet: Uint8Array, length = packet.length): boolean {
    return this.#calls.write(this.fd, packet, length) === length
  }

  /** Whether the last packet was refused for what stands in it. */
  get wasInvalid(): boolean {
    return this.#calls.errno() === EINVAL
  }

  [Symbol.dispose](): void {
    if (!this.#open) return
    this.#open = false
    this.#calls.close(this.fd)
  }
}

function hasVirtio(calls: LinuxTunCalls, fd: number): boolean {
  const features = Buffer.alloc(4)
  return calls.ioctl(fd, TUNGETFEATURES, features) >= 0 && (features.readUInt32LE() & IFF_VNET_HDR) !== 0
}

/** The most that this kernel has. Before 6.2 it refuses a request for super-packets of UDP as a whole. */
function takeOffload(calls: LinuxTunCalls, fd: number): TunOffload {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(VIRTIO_BYTES)
  calls.ioctl(fd, TUNSETVNETHDRSZ, bytes)
  for (const [tcp, udp] of [
    [true, true],
    [true, false],
  ] as const)
    if (calls.ioctlNumber(fd, TUNSETOFFLOAD, CHECKSUM | (tcp ? TCP : 0) | (udp ? UDP : 0)) >= 0)
      return { virtio: true, tcp, udp }
  return { virtio: true, tcp: false, udp: false }
}

/** Waits for the first of several descriptors that can be read or has ended. */
export class ReadableWait {
  readonly #calls: LinuxTunCalls
  readonly #descriptors: Buffer
  readonly #count: number
  readonly #timeout = Buffer.alloc(16)

  constructor(calls: LinuxTunCalls, fds: readonly number[]) {
    this.#calls = calls
    this.#count = fds.length
    // struct pollfd: int fd, short events, short revents.
    this.#descriptors = Buffer.alloc(8 * fds.length)
    fds.forEach((fd, index) => {
      this.#descriptors.writeInt32LE(fd, 8 * index)
      this.#descriptors.writeInt16LE(POLLIN, 8 * index + 4)
    })
  }

  /** @param ms not whole ones only; Infinity waits as long as it takes */
  wait(ms: number): void {
    if (ms !== Number.POSITIVE_INFINITY) {
      const ns = BigInt(Math.round(Math.max(0, ms) * 1e6))
      this.#timeout.writeBigInt64LE(ns / 1_000_000_000n, 0)
      this.#timeout.writeBigInt64LE(ns % 1_000_000_000n, 8)
    }
    this.#calls.ppoll(this.#descriptors, this.#count, ms === Number.POSITIVE_INFINITY ? null : this.#timeout, null)
  }

  /** Whether the descriptor of this index could be read, or had ended, when the wait was over. */
  isReady(index: number): boolean {
    return this.#descriptors.readInt16LE(8 * index + 6) !== 0
  }
}
