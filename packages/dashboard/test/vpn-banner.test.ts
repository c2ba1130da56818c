import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import type { VpnBannerProps } from '../src/parts/vpn-banner.tsx'
import { viewRenderer } from './render-view.ts'
import { OFF } from './vpn-off.ts'

type Vpn = VpnBannerProps['vpn']

let render: (vpn: Vpn, isLive?: boolean) => string
before(async () => {
  const view = await viewRenderer<VpnBannerProps>('vpn-banner', 'VpnBanner')
  render = (vpn, isLive = true) => view({ vpn, isLive, asOf: 0 })
})

it('says that it is off, and nothing of what nobody looks after', () => {
  const html = render(OFF)
  assert.match(html, /data-state="off".*Off: the proxy does not listen/)
  assert.doesNotMatch(html, /kill-switch|not-live|role="alert"/)
})

it('says why it is blocked and what to do', () => {
  const fault = { code: 'E_NO_EXIT', cause: 'No exit <is> there.', fix: 'Wait for one.' }
  const html = render({ ...OFF, state: 'blocked', fault })
  assert.match(html, /class="banner bad".*data-state="blocked"/)
  assert.match(
    html,
    /role="alert".*<code>E_NO_EXIT<\/code> No exit &lt;is&gt; there\..*<strong>Fix:<\/strong> Wait for one\./,
  )
})

it('says what is wrong with the tunnel', () => {
  const tun = {
    interface: 'weft0',
    mtu: 1280,
    state: 'waiting' as const,
    ipv6: false,
    packets: {},
    bytes: { sent: 0, received: 0 },
    superPackets: { read: 0, split: 0, written: 0, merged: 0 },
    fault: { code: 'E_NO_EXIT', cause: 'None is left.', fix: 'Turn it off.' },
  }
  assert.match(render({ ...OFF, state: 'connected', tun }), /class="banner good".*role="alert".*None is left\./)
})

it('says that what it shows is old when the connection to the daemon broke off', () => {
  assert.match(render(OFF, false), /<output [^>]*data-testid="not-live".*Not live.*as of \d\d:\d\d:\d\d/)
})

it('shows the kill switch by the rules of the kernel, and how to unblock', () => {
  const none = { packets: 0, bytes: 0 }
  const killSwitch: NonNullable<Vpn['killSwitch']> = {
    state: 'on',
    allowLan: true,
    orderedBy: ['person'],
    nodes: 2,
    blocked: {
      dns: { packets: 3, bytes: 90 },
      other: { packets: 4, bytes: 240 },
      lan: none,
      ipv6: none,
      forwarded: none,
    },
    differences: [],
    reboot: { isProtected: false, cause: 'No unit is there.', fix: 'Run weft vpn killswitch on.' },
    fault: { code: 'E_BLOCKED', cause: 'No healthy exit.', fix: 'weft vpn killswitch off' },
  }
  const on = render({ ...OFF, killSwitch })
  assert.match(on, /data-testid="kill-switch" data-state="on".*nothing leaves but through the route/)
  assert.match(on, /and to the local network; 7 packets kept back/)
  assert.match(on, /does not outlast a restart.*No unit is there\. Fix: Run weft vpn killswitch on\./)
  assert.match(on, /role="alert".*E_BLOCKED/)
  const damaged = render({ ...OFF, killSwitch: { ...killSwitch, state: 'damaged', differences: ['no rule for IPv6'] } })
  assert.match(damaged, /data-state="damaged".*class="badge bad".*: no rule for IPv6/)
  assert.doesNotMatch(damaged, /outlast/)
  assert.doesNotMatch(render({ ...OFF, killSwitch: { ...killSwitch, state: 'off' } }), /role="alert"/)
})
