import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import type { VpnSwitchProps } from '../src/parts/vpn-switch.tsx'
import { viewRenderer } from './render-view.ts'

let buttons: (props: Omit<VpnSwitchProps, 'onSwitched'>) => readonly string[]
before(async () => {
  const view = await viewRenderer<VpnSwitchProps>('vpn-switch', 'VpnSwitch')
  // Those that can be pressed.
  buttons = (props) =>
    Array.from(
      view({ ...props, onSwitched: () => {} }).matchAll(/<button type="button">([^<]+)/g),
      ([, words = '']) => words,
    )
})

it('turns on what is off, off what is on, and puts up what waits for that', () => {
  assert.deepEqual(buttons({ on: false, pending: { fields: [] } }), ['Turn on'])
  assert.deepEqual(buttons({ on: true, pending: { fields: [] } }), ['Turn off'])
  assert.deepEqual(buttons({ on: true, pending: { fields: ['tun'], takes: 'up' } }), ['Put up what waits', 'Turn off'])
  assert.deepEqual(buttons({ on: true, pending: { fields: ['dns'], takes: 'again' } }), ['Turn off'])
  assert.deepEqual(buttons({ on: false, pending: { fields: ['tun'], takes: 'up' } }), ['Turn on'])
})
