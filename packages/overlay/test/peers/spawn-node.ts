import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { toHex } from '@weft/core'
import type { LocalNetwork } from '../local-network.ts'

/** Starts a node of a local network as a process of its own. */
export function spawnNode(network: LocalNetwork, index: number): ChildProcess {
  const init = {
    network: JSON.stringify(network.file),
    seed: toHex(network.key(index).seed()),
    port: String(network.port(index)),
    directory: network.directory(index),
  }
  const program = join(import.meta.dirname, 'node-process.ts')
  return spawn(process.execPath, [program, JSON.stringify(init)], { stdio: ['pipe', 'ignore', 'inherit'] })
}
