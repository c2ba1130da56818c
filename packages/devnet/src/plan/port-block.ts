/** The ports of one node: a block of ten from its base on (docs/specs/cli.md, Ports). */
export interface NodePorts {
  readonly api: number
  readonly proxy: number
  readonly s3: number
  readonly apps: number
  readonly dns: number
  readonly chain: number
  readonly overlay: number
  readonly overlayWebSocket: number
  readonly packets: number
  readonly packetsTls: number
}

export const PORTS_PER_NODE = 10

/** The block of the node with this index; the client, index 0, has the base itself. */
export function portBlock(basePort: number, index: number): NodePorts {
  const base = basePort + index * PORTS_PER_NODE
  return {
    api: base,
    proxy: base + 1,
    s3: base + 2,
    apps: base + 3,
    dns: base + 4,
    chain: base + 5,
    overlay: base + 6,
    overlayWebSocket: base + 7,
    packets: base + 8,
    packetsTls: base + 9,
  }
}
