import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const MEGA = 1e6
/** s that all may take. */
const MOST = 120

/** MB/s of `count` GETs of `size` bytes at once, each by a user name of its own and so over a circuit of its own; all together. */
export async function downloadOverCircuits(
  proxy: number,
  target: number,
  { count, size }: { readonly count: number; readonly size: number },
): Promise<number> {
  const users = Array.from({ length: count }, (_, at) => `circuit${at}`)
  // A byte each first: routes are built by it, which is measured elsewhere.
  await Promise.all(users.map((user) => get(proxy, target, user, 1)))
  const started = performance.now()
  await Promise.all(users.map((user) => get(proxy, target, user, size)))
  return (count * size) / MEGA / ((performance.now() - started) / 1_000)
}

async function get(proxy: number, target: number, user: string, size: number): Promise<void> {
  const through = ['--proxy', `socks5h://${user}:x@127.0.0.1:${proxy}`]
  const written = ['-o', '/dev/null', '-w', '%{size_download}']
  const url = `http://127.0.0.1:${target}/${size}`
  const { stdout } = await run('curl', ['-sS', '--fail', '--max-time', String(MOST), ...through, ...written, url])
  if (Number(stdout) !== size) throw new Error(`curl fetched ${stdout} bytes of ${size}`)
}
