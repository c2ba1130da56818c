import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const MEGA = 1e6
/** s that a transfer may take. */
const MOST = 120

/** @throws Error when curl is not installed */
export function curlVersion(): string {
  try {
    return execFileSync('curl', ['--version'], { encoding: 'utf8' }).split(' ')[1] ?? 'unknown'
  } catch (cause) {
    throw new Error('curl is not installed: scripts/setup-test-tools.sh installs it', { cause })
  }
}

/** A port of 127.0.0.1 with a SOCKS5 proxy; undefined for none. */
export type ProxyPort = number | undefined

/** MB/s of one GET of `size` bytes, from the start of its connection to its end, by curl's clock. */
export async function download(proxy: ProxyPort, target: number, size: number): Promise<number> {
  const format = '%{size_download} %{speed_download}'
  return speed(await curl(proxy, ['-o', '/dev/null', '-w', format, url(target, size)]), size)
}

/** MB/s of one PUT of `file`, of `size` bytes. */
export async function upload(proxy: ProxyPort, target: number, file: string, size: number): Promise<number> {
  const format = '%{size_upload} %{speed_upload}'
  const args = ['-o', '/dev/null', '-H', 'Expect:', '-T', file, '-w', format, url(target, 'upload')]
  return speed(await curl(proxy, args), size)
}

/** MB/s of `count` GETs of `size` bytes each at once, all together, by one process. */
export async function downloadAtOnce(proxy: ProxyPort, target: number, count: number, size: number): Promise<number> {
  const each = Array.from({ length: count }, () => ['-o', '/dev/null', url(target, size)]).flat()
  const started = performance.now()
  const written = await curl(proxy, [
    '--parallel',
    '--parallel-immediate',
    '--parallel-max',
    String(count),
    '-w',
    '%{size_download}\n',
    ...each,
  ])
  const seconds = (performance.now() - started) / 1_000
  const sizes = written.trim().split('\n').map(Number)
  if (sizes.length !== count || sizes.some((got) => got !== size))
    throw new Error(`curl fetched ${sizes.join(', ')} bytes`)
  return (count * size) / MEGA / seconds
}

/** One GET of a byte. @returns whether it worked */
export async function fetchOnce(proxy: ProxyPort, target: number): Promise<boolean> {
  return curl(proxy, ['-o', '/dev/null', url(target, 1)]).then(
    () => true,
    () => false,
  )
}

function url(target: number, path: string | number): string {
  return `http://127.0.0.1:${target}/${path}`
}

async function curl(proxy: ProxyPort, args: readonly string[]): Promise<string> {
  const through = proxy === undefined ? ['--noproxy', '*'] : ['--proxy', `socks5h://127.0.0.1:${proxy}`]
  const { stdout } = await run('curl', ['-sS', '--fail', '--max-time', String(MOST), ...through, ...args])
  return stdout
}

function speed(written: string, size: number): number {
  const [bytes, bytesPerSecond] = written.split(' ').map(Number)
  if (bytes !== size || bytesPerSecond === undefined) throw new Error(`curl moved ${bytes} of ${size} bytes`)
  return bytesPerSecond / MEGA
}
