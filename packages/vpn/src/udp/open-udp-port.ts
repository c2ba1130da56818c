import { canonicalHost, isWeftError, mappedIPv4, messageOf } from '@weft/core'
import { type LinuxSocketCalls, loadLinuxSocketCalls } from './linux-socket-calls.ts'
import { PlainPort } from './plain-port.ts'
import { SegmentedPort } from './segmented-port.ts'
import { testSegmentation } from './segmentation-self-test.ts'
import { udpPortError } from './udp-port-error.ts'
import type { UdpPort, UdpPortOptions } from './udp-port.ts'

/**
 * Opens the fastest port that works here: super-packets where a test over the loopback succeeds, node:dgram elsewhere, with
 * a line in the log that says why.
 * @param load the system calls of this machine
 * @throws WeftError E_PORT_TAKEN, E_UDP_PORT (no such address, no privileges)
 */
export async function openUdpPort(
  options: UdpPortOptions,
  load: () => Promise<LinuxSocketCalls> = loadLinuxSocketCalls,
): Promise<UdpPort> {
  const canonical = canonicalHost(options.host)
  if (canonical === undefined) throw udpPortError(options.host, options.port, 'the address is no IP literal')
  const own = { ...options, host: mappedIPv4(canonical) ?? canonical }
  // Two daemons could share a port without a word.
  if (own.sharing === 'first') (await PlainPort.open({ host: own.host, port: own.port, onBatch: () => {} })).close()
  return (await openSegmented(own, load)) ?? (await PlainPort.open(own))
}

/** Undefined, and a line in the log, when it does not work here. @throws WeftError when no port would open */
async function openSegmented(
  options: UdpPortOptions,
  load: () => Promise<LinuxSocketCalls>,
): Promise<SegmentedPort | undefined> {
  try {
    const calls = await load()
    // A socket of both families may be on a machine without IPv6.
    testSegmentation(calls, options.host.includes(':') && options.host !== '::')
    return new SegmentedPort(calls, options)
  } catch (error) {
    if (isWeftError(error, 'E_PORT_TAKEN')) throw error
    options.logger.warn('packets go one by one: the kernel does not take several as one here', {
      reason: messageOf(error),
    })
    return undefined
  }
}
