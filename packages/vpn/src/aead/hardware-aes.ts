import { readFileSync } from 'node:fs'

/** What /proc/cpuinfo calls the instructions for AES and for GCM's multiplication. */
const FLAGS: Partial<Record<NodeJS.Architecture, readonly string[]>> = {
  x64: ['aes', 'pclmulqdq'],
  arm64: ['aes', 'pmull'],
}

/**
 * Whether every processor has the instructions with which OpenSSL computes AES-256-GCM fast and in constant time: without them its
 * time tells about keys. @param cpuinfo of Linux
 */
export function hasAesInstructions(cpuinfo: string, arch: NodeJS.Architecture): boolean {
  const wanted = FLAGS[arch]
  const lists = [...cpuinfo.matchAll(/^(?:flags|Features)\s*:(.*)$/gm)].map(([, list = '']) => new Set(list.split(' ')))
  return wanted !== undefined && lists.length > 0 && lists.every((has) => wanted.every((flag) => has.has(flag)))
}

/** Of this machine; false where that cannot be read. */
export function machineHasAes(): boolean {
  try {
    return process.platform === 'linux' && hasAesInstructions(readFileSync('/proc/cpuinfo', 'utf8'), process.arch)
  } catch {
    return false
  }
}
