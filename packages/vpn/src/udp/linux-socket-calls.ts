/** Numbers of Linux on x86-64 and arm64 (asm-generic/socket.h, linux/udp.h, linux/in6.h, asm-generic/errno.h). */
export const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000
export const SOL_SOCKET = 1
export const SO_REUSEADDR = 2
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
export const SO_SNDBUFFORCE = 32
export const SO_REUSEPORT = 15
export const SO_MARK = 36
export const SO_RCVBUFFORCE = 33
/** ip(7): the path MTU is not looked at, and nothing is cut on the way; IP_PMTUDISC_PROBE is the same number for IPv6. */
export const IPPROTO_IP = 0
export const IP_MTU_DISCOVER = 10
export const IP_PMTUDISC_PROBE = 3
export const IPPROTO_IPV6 = 41
export const IPV6_MTU_DISCOVER = 23
export const IPV6_DONTFRAG = 62
export const IPV6_V6ONLY = 26
export const SOL_UDP = 17
export const UDP_SEGMENT = 103
export const UDP_GRO = 104
export const MSG_TRUNC = 0x20
export const MSG_DONTWAIT = 0x40
export const POLLIN = 1

/** The system calls of the segmented port. Each gives -1 on failure, when {@link errno} says why. */
export interface LinuxSocketCalls {
  socket(family: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, length: number): number
  close(fd: number): number
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number
  recvmmsg(fd: number, messages: Uint8Array, count: number, flags: number, timeout: null): number
  sendmsg(fd: number, message: Uint8Array, flags: number): number
  poll(descriptors: Uint8Array, count: number, timeoutMs: number): number
  /** Of the last call on this thread. */
  errno(): number
  /** EAGAIN of 11. */
  errorName(errno: number): string
  /** Where memory lies, for pointers inside of structures. The memory must be off V8's heap: of {@link nativeBytes}. */
  addressOf(bytes: Uint8Array): bigint
}

/** An address as a number: those of user space are below 2^48, and an object would cost each call a look at what it is. */
export type NativeAddress = number

/** Memory that does not move, unlike small typed arrays, which V8 may keep in its heap. */
export function nativeBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length))
}

/** @throws Error when this machine has no such calls: not Linux on a 64-bit little-endian processor, or koffi fails */
export async function loadLinuxSocketCalls(): Promise<LinuxSocketCalls> {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64'))
    throw new Error(`not available on ${process.platform} ${process.arch}`)
  const { default: koffi } = await import('koffi')
  const libc = koffi.load(null)
  const names = new Map(Object.entries(koffi.os.errno).map(([name, errno]) => [errno, name]))
  // EWOULDBLOCK is another name of the same number.
  names.set(koffi.os.errno['EAGAIN'] ?? 11, 'EAGAIN')
  return {
    socket: libc.func('socket', 'int', ['int', 'int', 'int']) as LinuxSocketCalls['socket'],
    bind: libc.func('bind', 'int', ['int', 'void *', 'uint']) as LinuxSocketCalls['bind'],
    close: libc.func('close', 'int', ['int']) as LinuxSocketCalls['close'],
    setsockopt: libc.func('setsockopt', 'int', [
      'int',
      'int',
      'int',
      'void *',
      'uint',
    ]) as LinuxSocketCalls['setsockopt'],
    getsockname: libc.func('getsockname', 'int', ['int', 'void *', 'void *']) as LinuxSocketCalls['getsockname'],
    recvmmsg: libc.func('recvmmsg', 'int', ['int', 'void *', 'uint', 'int', 'void *']) as LinuxSocketCalls['recvmmsg'],
    sendmsg: libc.func('sendmsg', 'long', ['int', 'void *', 'int']) as LinuxSocketCalls['sendmsg'],
    poll: libc.func('poll', 'int', ['void *', 'ulong', 'int']) as LinuxSocketCalls['poll'],
    errno: () => koffi.errno(),
    errorName: (errno) => names.get(errno) ?? `errno ${errno}`,
    addressOf: (bytes) => koffi.address(bytes),
  }
}
