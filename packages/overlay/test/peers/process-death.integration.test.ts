import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { toHex } from '@weft/core'
import { LocalNetwork } from '../local-network.ts'
import { until } from '../until.ts'

function spawnNode(network: LocalNetwork, index: number): ChildProcess {
  const init = {
    network: JSON.stringify(network.file),
    seed: toHex(network.key(index).seed()),
    port: String(network.port(index)),
    directory: network.directory(index),
  }
  const program = join(import.meta.dirname, 'node-process.ts')
  return spawn(process.execPath, [program, JSON.stringify(init)], { stdio: ['pipe', 'ignore', 'inherit'] })
}

test('a stopped process is seen by its silence, and a killed one by its connection', async () => {
  await using network = await LocalNetwork.create(2, 1)
  const { overlay } = await network.start(0)
  const child = spawnNode(network, 1)
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const peer = network.id(1)
  try {
    await until(overlay, 'connected', () => overlay.peer(peer).state === 'connected')
    child.kill('SIGSTOP')
    await until(overlay, 'seen as stopped', () => overlay.peer(peer).state === 'unreachable')
    assert.match(
      overlay.peer(peer).fault?.cause ?? '',
      /has not answered for \d+ s, as seen by (this node alone|1 observer)/,
    )
    child.kill('SIGCONT')
    await until(overlay, 'seen as running again', () => overlay.peer(peer).state === 'connected')
    child.kill('SIGKILL')
    await until(overlay, 'seen as killed', () => overlay.peer(peer).state === 'unreachable')
    assert.equal(overlay.peer(peer).fault?.code, 'E_NODE_UNREACHABLE')
  } finally {
    child.kill('SIGKILL')
    await exited
  }
})
