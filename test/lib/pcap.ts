/** Payloads of the UDP datagrams over IPv4 in a capture (pcap, link type Ethernet), with their ports. */
export interface CapturedDatagram {
  readonly from: number
  readonly to: number
  /** On the loopback what one system call sent: several packets behind each other, all of one size but the last. */
  readonly payload: Buffer
}

export function udpIn(pcap: Buffer): CapturedDatagram[] {
  const found = []
  for (let at = 24; at + 16 <= pcap.length;) {
    const length = pcap.readUInt32LE(at + 8)
    const ip = at + 16 + 14
    const udp = ip + ((pcap[ip] as number) & 15) * 4
    // The header's own length has 16 bits; of a super-packet the frame's is what counts.
    found.push({
      from: pcap.readUInt16BE(udp),
      to: pcap.readUInt16BE(udp + 2),
      payload: pcap.subarray(udp + 8, at + 16 + length),
    })
    at += 16 + length
  }
  return found
}
