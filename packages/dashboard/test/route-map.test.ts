import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import { namedLegs, sumOfLinks } from '../src/parts/legs.ts'
import type { RouteMapProps } from '../src/parts/route-map.tsx'
import { viewRenderer } from './render-view.ts'

let render: (props: RouteMapProps) => string
before(async () => {
  render = await viewRenderer<RouteMapProps>('route-map', 'RouteMap')
})

const hop = (role: 'entry' | 'relay' | 'exit', node: string, country: string) => ({
  node: `did:key:z6Mk${node}`,
  role,
  country,
  region: 'eu',
  simulated: true,
  latencyMs: 2,
  health: role === 'relay' ? ('yellow' as const) : ('green' as const),
  reason: '',
})
const leg = (state: 'active' | 'spare', ...hops: ReturnType<typeof hop>[]) => ({
  state,
  carriage: 'udp' as const,
  hops,
  streams: 0,
  since: 0,
})
const EXIT = hop('exit', 'xxxxxxxx', 'JP')
const LEGS = namedLegs([
  leg('active', hop('entry', 'aaaaaaaa', 'DE'), hop('relay', 'bbbbbbbb', 'US'), EXIT),
  leg('spare', hop('entry', 'cccccccc', 'DE'), hop('relay', 'dddddddd', 'ZZ'), EXIT),
])

it('says in words what it draws, for who does not see it', () => {
  const html = render({ legs: LEGS, selected: LEGS[0]?.key ?? '' })
  const [, ids = ''] = /<figure [^>]*aria-labelledby="([^"]+)"/.exec(html) ?? []
  assert.deepEqual(
    ids.split(' ').map((id) => html.includes(`id="${id}"`)),
    [true, true],
  )
  assert.match(
    html,
    /Leg 1, in use, from you over: entry …aaaaaaaa in Germany \(simulated\), as usual; relay …bbbbbbbb in United States \(simulated\), not as usual; exit …xxxxxxxx/,
  )
  assert.match(html, /Leg 2, spare, from you over: entry …cccccccc in Germany/)
})

it('draws each node once, of another shape where it is worse, and labels the leg that is chosen and what is not well', () => {
  for (const [at, labels] of [
    [0, ['1 entry DE', '2 relay US', '3 exit JP']],
    // The relay of the other leg is not well.
    [1, ['1 entry DE', '2 relay US', '3 exit JP']],
  ] as const) {
    const html = render({ legs: LEGS, selected: LEGS[at]?.key ?? '' })
    const nodes = [...html.matchAll(/data-testid="map-node" data-node="did:key:z6Mk(\w+)" data-health="(\w+)"/g)]
    assert.deepEqual(
      nodes.map(([, node = '']) => node).toSorted((one, other) => one.localeCompare(other)),
      ['aaaaaaaa', 'bbbbbbbb', 'cccccccc', 'xxxxxxxx'],
    )
    const words = Array.from(html.matchAll(/<text class="place"[^>]*>(.*?)<\/text>/g), ([, text = '']) =>
      text.replaceAll(/<[^>]+>/g, ''),
    )
    assert.deepEqual(
      words.toSorted((one, other) => one.localeCompare(other)),
      [...labels, 'you'],
    )
    assert.match(html, /1 node is not drawn/)
    assert.match(html, /<strong>Places are simulated/)
    const shapes = new Map(
      Array.from(html.matchAll(/class="sign(?: aside)? (\w+)" d="([^"]+)"/g), ([, health, d]) => [health, d]),
    )
    assert.equal(new Set(shapes.values()).size, 3)
    assert.match(
      html,
      new RegExp(`class="arcs selected" data-testid="map-leg" data-state="${at === 0 ? 'active' : 'spare'}"`),
    )
  }
})

it('says nothing of simulation where places are real', () => {
  const real = namedLegs([leg('active', { ...hop('entry', 'aaaaaaaa', 'DE'), simulated: false })])
  assert.doesNotMatch(render({ legs: real, selected: real[0]?.key ?? '' }), /simulated/)
})

it('tells legs over the same nodes apart', () => {
  const twice = namedLegs([leg('active', EXIT), leg('spare', EXIT), leg('spare', EXIT)])
  assert.equal(new Set(twice.map(({ key }) => key)).size, 3)
  assert.equal(twice[0]?.key, namedLegs([leg('spare', EXIT)])[0]?.key)
})

it('adds links up only where all are measured', () => {
  assert.equal(sumOfLinks(LEGS[0]?.leg ?? assert.fail()), 6)
  assert.equal(sumOfLinks({ hops: [EXIT, { ...EXIT, latencyMs: undefined }] }), undefined)
})
