import { availableParallelism, cpus, release, totalmem } from 'node:os'
import type { BenchSetting } from './bench-report.ts'
import { runCommand } from './run-command.ts'

/** What a reader must know of this machine and tree to compare a figure with theirs. */
export async function readBenchSetting(root: string): Promise<BenchSetting> {
  const head = await runCommand('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root })
  const changes = await runCommand('git', ['status', '--porcelain', '--untracked-files=no'], { cwd: root })
  const commit = head.code === 0 ? head.output.trim() : 'none'
  return {
    date: new Date().toISOString(),
    commit: changes.output.trim() === '' ? commit : `${commit}+changes`,
    node: process.versions.node,
    machine: {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      memoryGB: Math.round(totalmem() / 1e9),
      kernel: release(),
    },
  }
}
