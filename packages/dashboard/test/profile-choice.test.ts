import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import type { ProfileChoiceProps } from '../src/parts/profile-choice.tsx'
import { viewRenderer } from './render-view.ts'

let render: (inUse: ProfileChoiceProps['inUse']) => string
before(async () => {
  const view = await viewRenderer<ProfileChoiceProps>('profile-choice', 'ProfileChoice')
  render = (inUse) => view({ inUse, profiles: ['default', 'private'].map(profile), onChosen: () => {} })
})

function profile(name: string): ProfileChoiceProps['profiles'][number] {
  const lists = { tunExclude: [], tunInclude: [], tunExcludeUsers: [], tunIncludeUsers: [] }
  const ways = { ...lists, tunExcludeCgroups: [], tunIncludeCgroups: [], dns: 'exit', tun: 'off' } as const
  return {
    name,
    builtIn: true,
    inUse: name === 'default',
    fields: {},
    effective: {
      ...ways,
      exit: name === 'private' ? 'DE' : 'auto',
      hops: 3,
      tier: 'standard',
      legs: name === 'private' ? 1 : 2,
      isolation: 'none',
      rotationMinutes: 10,
      killSwitch: 'off',
    },
    warnings: [],
  }
}

it('shows the profiles, the one in use and what that means', () => {
  const html = render({ name: 'private', pending: { fields: [] }, warnings: [] })
  assert.match(html, /<label for="([^"]+)">Profile<\/label><select id="\1"/)
  assert.match(html, /<option value="default">default<\/option><option value="private" selected="">private \(in use\)/)
  assert.match(html, /exit DE, 3 hops, 1 leg in use, tier standard, kill switch off/)
  assert.match(html, /<button type="button" disabled="">Use it/)
})

it('says what of it is not done yet, and when it will be', () => {
  const pending = (takes: 'up' | 'again') =>
    render({ name: 'default', pending: { fields: ['dns', 'tun'], takes }, warnings: [] })
  assert.match(
    pending('again'),
    /<output [^>]*>In use: default\. Not yet done of it, until the VPN is turned off and on: dns, tun\./,
  )
  assert.match(pending('up'), /until the VPN is put up: dns, tun\./)
})

it('says what whoever relies on the one in use should know', () => {
  const warnings = [{ code: 'E_PROFILE_OPEN', cause: 'Much goes beside it.', fix: 'Lead it through.' }]
  assert.match(
    render({ name: 'default', pending: { fields: [] }, warnings }),
    /E_PROFILE_OPEN.*Much goes beside it\..*Lead it through\./,
  )
})
