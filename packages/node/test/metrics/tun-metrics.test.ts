import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VpnInit } from '@weft/vpn'
import { vpnMetrics } from '../../src/metrics/vpn-metrics.ts'
import { FakeVpn } from '../support/fake-vpn.ts'

/** By name and labels. */
async function samplesOf(vpn: FakeVpn): Promise<Map<string, number>> {
  return new Map(
    vpnMetrics(await vpn.status()).flatMap(({ name, samples }) =>
      samples.map(({ labels = {}, value }) => [[name, ...Object.values(labels)].join(' '), value] as const),
    ),
  )
}

test('metrics tell of IP packets by which end of a tunnel carries them', async () => {
  const vpn = new FakeVpn({ keys: {} } as unknown as VpnInit)
  await vpn.up(true)
  const samples = await samplesOf(vpn)
  for (const [name, value] of [
    ['weft_tun open', 1],
    ['weft_tun off', 0],
    ['weft_exit_ip_clients', 2],
    ['weft_tun_packets_total client sent', 3],
    ['weft_tun_packets_total exit received', 2],
    ['weft_tun_bytes_total exit sent', 100],
    ['weft_tun_packets_dropped_total client unrouted', 1],
    ['weft_tun_packets_dropped_total exit refused', 3],
    ['weft_tun_packets_dropped_total exit sent', undefined],
    ['weft_tun_super_packets_total exit merged', 2],
    ['weft_tun_super_packet_parts_total exit split', 20],
  ] as const)
    assert.equal(samples.get(name), value, name)
  await vpn.down()
  const after = await samplesOf(vpn)
  assert.equal(after.get('weft_tun off'), 1)
  assert.equal(after.get('weft_tun_packets_total client sent'), undefined)
})
