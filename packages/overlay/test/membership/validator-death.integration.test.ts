import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LocalNetwork } from '../local-network.ts'
import { spawnNode } from '../peers/spawn-node.ts'
import { until } from '../until.ts'

/** ms: that of a devnet. */
const EPOCH = 5_000

test('four validators of whom one is killed have a map in every epoch, also in the one that began with its turn', async () => {
  await using network = await LocalNetwork.create(4, 4, EPOCH)
  const children = [1, 2, 3].map((index) => spawnNode(network, index))
  const exits = children.map((child) => new Promise((resolve) => child.once('exit', resolve)))
  const { overlay } = await network.start(0)
  const epochs: number[] = []
  try {
    await until(overlay, 'all four in the map', () => overlay.membership.members().length === 4)
    children[1]?.kill('SIGKILL')
    await exits[1]
    overlay.on('map', ({ epoch }) => epochs.push(epoch))
    const hadTurn = (): boolean => epochs.some((epoch) => epoch % 4 === 2)
    await until(
      overlay,
      'five epochs, one of which began with its turn',
      () => hadTurn() && epochs.length >= 5,
      8 * EPOCH,
    )
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(exits)
  }
  const first = epochs[0] ?? 0
  assert.deepEqual(
    epochs,
    epochs.map((_, at) => first + at),
    'no epoch is skipped',
  )
})
