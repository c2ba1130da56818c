import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LocalNetwork } from '../local-network.ts'
import { until } from '../until.ts'
import { spawnNode } from './spawn-node.ts'

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
