import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinuxTun, type LinuxTunCalls } from '../../src/tun/linux-tun.ts'

const TUNSETIFF = 0x400454ca
const TUNGETFEATURES = 0x800454cf
const VIRTIO = 0x4000

/** The calls of a kernel that has as much of it as is said. */
function kernel(features: number, offloads: readonly number[]) {
  const flags: number[] = []
  const calls = {
    open: () => 5,
    close: () => 0,
    ioctl: (_: number, request: number, bytes: Uint8Array) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset)
      if (request === TUNGETFEATURES) view.setUint32(0, features, true)
      if (request === TUNSETIFF) flags.push(view.getUint16(16, true))
      return features < 0 && request === TUNGETFEATURES ? -1 : 0
    },
    ioctlNumber: (_: number, __: number, asked: number) => (offloads.includes(asked) ? 0 : -1),
    errno: () => 22,
    errorName: () => 'EINVAL',
  }
  return { calls: calls as unknown as LinuxTunCalls, flags }
}

for (const [name, features, offloads, expected] of [
  ['Linux 6.2 and later', VIRTIO, [0x67, 0x07], { virtio: true, tcp: true, udp: true }],
  ['a kernel without super-packets of UDP', VIRTIO, [0x07], { virtio: true, tcp: true, udp: false }],
  ['a kernel that has none', VIRTIO, [], { virtio: true, tcp: false, udp: false }],
  ['a kernel without that header', 0, [], { virtio: false, tcp: false, udp: false }],
  ['a kernel that does not say', -1, [], { virtio: false, tcp: false, udp: false }],
] as const)
  test(`what is taken of ${name}`, () => {
    const { calls, flags } = kernel(features, offloads)
    using tun = new LinuxTun(calls, 'weft0', true)
    assert.deepEqual(tun.offload, expected)
    assert.deepEqual(flags, [0x1001 | (expected.virtio ? VIRTIO : 0)])
  })

test('who does not want it gets single packets', () => {
  const { calls, flags } = kernel(VIRTIO, [0x67])
  using tun = new LinuxTun(calls, 'weft0')
  assert.equal(tun.offload.virtio, false)
  assert.deepEqual(flags, [0x1001])
})
