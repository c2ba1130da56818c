import { execFileSync } from 'node:child_process'

/** Has an interface in a namespace send no faster, with at most 50 ms of queue (tc-tbf(8)). */
export function holdLine(namespace: string, device: string, mbit: number): void {
  const bucket = ['rate', `${mbit}mbit`, 'burst', '32kb', 'latency', '50ms']
  execFileSync('tc', ['-n', namespace, 'qdisc', 'add', 'dev', device, 'root', 'tbf', ...bucket], { stdio: 'pipe' })
}
