const UDP = 17
const TCP = 6

/** Payloads of UDP datagrams, or of TCP segments, over IPv4 in a capture (pcap, link type Ethernet), with their ports. */
export interface Captured {
  readonly from: number
  readonly to: number
  /** On the loopback what one system call sent: several packets behind each other, all of one size but the last. */
  readonly payload: Buffer
}

export function udpIn(pcap: Buffer): Captured[] {
  return payloadsIn(pcap, UDP, () => 8)
}

export function tcpIn(pcap: Buffer): Captured[] {
  return payloadsIn(pcap, TCP, (header) => (pcap.readUInt8(header + 12) >> 4) * 4)
}

/** @param headerLength of the protocol's header that begins there */
function payloadsIn(pcap: Buffer, protocol: number, headerLength: (header: number) => number): Captured[] {
  const found = []
  for (let at = 24; at + 16 <= pcap.length;) {
    const length = pcap.readUInt32LE(at + 8)
    const ip = at + 16 + 14
    const header = ip + (pcap.readUInt8(ip) & 15) * 4
    // The header's own length has 16 bits; of a super-packet the frame's is what counts.
    if (pcap.readUInt8(ip + 9) === protocol)
      found.push({
        from: pcap.readUInt16BE(header),
        to: pcap.readUInt16BE(header + 2),
        payload: pcap.subarray(header + headerLength(header), at + 16 + length),
      })
    at += 16 + length
  }
  return found
}
