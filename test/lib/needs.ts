import { existsSync, readFileSync } from 'node:fs'

/** Debian's package puts it there. */
export const CHROMIUM = '/usr/bin/chromium'

const LIBFAKETIME = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(
  (platform) => `/usr/lib/${platform}/faketime/libfaketimeMT.so.1`,
)

/** The library that gives a process another clock (Debian: faketime); undefined when it is not installed. */
export const libfaketime = LIBFAKETIME.find((path) => existsSync(path))

const onPath = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((directory) => existsSync(`${directory}/${program}`))

function hasCgroup2(): boolean {
  try {
    return /\scgroup2$/m.test(readFileSync('/proc/filesystems', 'utf8'))
  } catch {
    return false
  }
}

/** Programs that others wrote, with which people use a VPN. */
const CLIENTS = ['torsocks', 'proxychains4', 'ncat', 'dig', 'iperf3']

/** Clients of S3 that others wrote. */
const S3_CLIENTS = ['rclone', 'restic', 's3cmd']

const needs = {
  curl: [onPath('curl'), 'curl is not installed (scripts/setup-test-tools.sh installs it)'],
  clients: [
    CLIENTS.every(onPath),
    `${CLIENTS.filter((program) => !onPath(program)).join(', ')} not installed (scripts/setup-test-tools.sh installs them)`,
  ],
  s3Clients: [
    S3_CLIENTS.every(onPath),
    `${S3_CLIENTS.filter((program) => !onPath(program)).join(', ')} not installed (scripts/setup-test-tools.sh installs them)`,
  ],
  ss: [onPath('ss'), 'ss (iproute2) is not installed (scripts/setup-test-tools.sh installs it)'],
  chromium: [existsSync(CHROMIUM), 'Chromium is not installed (scripts/setup-test-tools.sh installs it)'],
  root: [process.getuid?.() === 0, 'only root mounts a small disk, runs as another user and makes network namespaces'],
  nat: [
    onPath('ip') && onPath('nft'),
    'ip (iproute2) or nft (nftables) is not installed (scripts/setup-test-tools.sh installs them)',
  ],
  tun: [existsSync('/dev/net/tun'), 'this kernel has no TUN interfaces (/dev/net/tun)'],
  cgroup2: [hasCgroup2(), 'this kernel has no cgroup v2 (/proc/filesystems)'],
  tc: [onPath('tc'), 'tc (iproute2) is not installed (scripts/setup-test-tools.sh installs it)'],
  tcpdump: [onPath('tcpdump'), 'tcpdump is not installed (scripts/setup-test-tools.sh installs it)'],
  faketime: [libfaketime !== undefined, 'faketime is not installed (scripts/setup-test-tools.sh installs it)'],
} as const

/** Why a test is skipped here: the name of what is missing. False where all is there, and in CI, where it must be. */
export function skipWithout(...names: readonly (keyof typeof needs)[]): string | false {
  if (process.env['CI'] === 'true') return false
  return names.flatMap((name) => (needs[name][0] ? [] : needs[name][1])).join('; ') || false
}
