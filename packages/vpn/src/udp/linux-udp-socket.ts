import { isIPv6 } from 'node:net'
import {
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_DONTFRAG,
  IPV6_MTU_DISCOVER,
  IPV6_V6ONLY,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_PROBE,
  type LinuxSocketCalls,
  SOCK_DGRAM_NONBLOCK_CLOEXEC,
  SOL_SOCKET,
  SOL_UDP,
  SO_MARK,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  UDP_GRO,
  nativeBytes,
} from './linux-socket-calls.ts'
import { AF_INET, AF_INET6, type AddressFamily, SOCKET_ADDRESS_BYTES, encodeCanonical } from './socket-address.ts'
import { udpPortError } from './udp-port-error.ts'

/** 64 ms at 1 Gbit/s, less what the kernel adds to each packet in its accounts. */
export const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024
export const SEND_BUFFER_BYTES = 4 * 1024 * 1024

/**
 * A bound, non-blocking UDP socket that takes super-packets (UDP_GRO; Linux 5.0).
 * @param isShared whether others of this user may be bound to the same port, and the system deals senders out among them (SO_REUSEPORT)
 * @throws WeftError E_PORT_TAKEN, E_UDP_PORT when it cannot be bound. @throws Error when the kernel knows no UDP_GRO
 */
export function openLinuxUdpSocket(calls: LinuxSocketCalls, host: string, port: number, isShared = false): number {
  const family: AddressFamily = isIPv6(host) ? AF_INET6 : AF_INET
  const fd = calls.socket(family, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0)
  if (fd < 0) throw udpPortError(host, port, calls.errorName(calls.errno()))
  try {
    if (family === AF_INET6) setOption(calls, fd, IPPROTO_IPV6, IPV6_V6ONLY, host === '::' ? 0 : 1)
    if (isShared && !setOption(calls, fd, SOL_SOCKET, SO_REUSEPORT, 1))
      throw udpPortError(host, port, calls.errorName(calls.errno()))
    if (!setOption(calls, fd, SOL_UDP, UDP_GRO, 1))
      throw new Error(`the kernel refuses UDP_GRO (${calls.errorName(calls.errno())})`)
    // Larger than the path takes is lost, as far as this side is concerned: halves are tried (RFC 8899, section 3, point 2).
    if (family === AF_INET6) {
      setOption(calls, fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_PROBE)
      setOption(calls, fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1)
    }
    if (family === AF_INET || host === '::') setOption(calls, fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
    // Beyond the system's limit (net.core.rmem_max) with privileges only; then as much as it gives.
    for (const [force, plain, bytes] of [
      [SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER_BYTES],
      [SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER_BYTES],
    ] as const)
      if (!setOption(calls, fd, SOL_SOCKET, force, bytes)) setOption(calls, fd, SOL_SOCKET, plain, bytes)
    const address = encodeCanonical(host, port, family)
    if (calls.bind(fd, address, address.length) < 0) throw udpPortError(host, port, calls.errorName(calls.errno()))
    return fd
  } catch (error) {
    calls.close(fd)
    throw error
  }
}

/** libuv sets SO_REUSEADDR on a descriptor that it is given, with which another process could take the port as well. */
export function forbidReuse(calls: LinuxSocketCalls, fd: number): void {
  setOption(calls, fd, SOL_SOCKET, SO_REUSEADDR, 0)
}

/** Marks what a socket sends; false where that is not permitted (CAP_NET_ADMIN). */
export function markSocket(calls: LinuxSocketCalls, fd: number, mark: number): boolean {
  return setOption(calls, fd, SOL_SOCKET, SO_MARK, mark)
}

/** Port that a socket is bound to. */
export function localPort(calls: LinuxSocketCalls, fd: number): number {
  const address = nativeBytes(SOCKET_ADDRESS_BYTES)
  const length = nativeBytes(4)
  new DataView(length.buffer).setUint32(0, address.length, true)
  calls.getsockname(fd, address, length)
  return new DataView(address.buffer).getUint16(2)
}

function setOption(calls: LinuxSocketCalls, fd: number, level: number, option: number, value: number): boolean {
  const bytes = nativeBytes(4)
  new DataView(bytes.buffer).setInt32(0, value, true)
  return calls.setsockopt(fd, level, option, bytes, bytes.length) === 0
}
