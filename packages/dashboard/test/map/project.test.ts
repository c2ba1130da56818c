import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { COUNTRIES, countryName, middleOf } from '../../src/map/countries.ts'
import { LAND } from '../../src/map/land.ts'
import { project, WORLD } from '../../src/map/project.ts'

test('the projection keeps longitudes, mirrors at the equator and stretches towards the poles', () => {
  assert.ok(Math.abs(project({ latitude: 0, longitude: 13 }).y) < 1e-9)
  // A pole is 2.30341 radii from the equator.
  assert.ok(Math.abs((project({ latitude: -90, longitude: 0 }).y * Math.PI) / 180 - 2.303_41) < 1e-5)
  fc.assert(
    fc.property(fc.integer({ min: -85, max: 85 }), fc.integer({ min: -180, max: 180 }), (latitude, longitude) => {
      const place = project({ latitude, longitude })
      assert.equal(place.x, longitude)
      assert.ok(Math.abs(place.y + project({ latitude: -latitude, longitude }).y) < 1e-9)
      assert.ok(place.y > project({ latitude: latitude + 1, longitude }).y)
    }),
  )
})

test('each country of ISO 3166-1 has a place, and all where people live are on the map', () => {
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })
  const letters = Array.from({ length: 26 }, (_, at) => String.fromCodePoint(65 + at))
  // Codes that ICU has names for and ISO 3166-1 only reserves, and Antarctica, which is not on the map.
  const reserved = ['AC', 'CP', 'CQ', 'DG', 'EA', 'EU', 'EZ', 'IC', 'QO', 'TA', 'UN', 'XA', 'XB', 'ZZ', 'AQ']
  const codes = letters
    .flatMap((one) => letters.map((other) => one + other))
    .filter((code) => names.of(code) !== undefined && Intl.getCanonicalLocales(`en-${code}`)[0] === `en-${code}`)
    .filter((code) => !reserved.includes(code))
  assert.deepEqual(COUNTRIES, codes.toSorted())
  for (const code of COUNTRIES) {
    const { x, y } = project(middleOf(code) ?? assert.fail(code))
    assert.ok(x >= WORLD.left && x <= WORLD.left + WORLD.width, code)
    assert.ok(y >= WORLD.top && y <= WORLD.top + WORLD.height, code)
  }
  assert.equal(countryName('DE'), 'Germany')
  assert.equal(countryName('ZZ'), 'ZZ')
  assert.equal(middleOf('ZZ'), undefined)
  assert.equal(middleOf('de'), undefined)
})

test('large countries stand on land, and the land keeps to a few kilobytes', () => {
  const rings = LAND.split('z')
    .filter((ring) => ring !== '')
    .map(ringOf)
  for (const code of [
    'US',
    'CA',
    'MX',
    'BR',
    'AR',
    'DE',
    'FR',
    'PL',
    'SE',
    'RU',
    'CN',
    'IN',
    'AU',
    'ZA',
    'DZ',
    'SA',
    'JP',
  ]) {
    const { x, y } = project(middleOf(code) ?? assert.fail(code))
    const count = rings.filter((ring) => isInside(ring, x * 2, y * 2)).length
    assert.equal(count % 2, 1, code)
  }
  for (const [latitude, longitude] of [
    [30, -45],
    [0, -150],
    [-30, 80],
  ] as const) {
    const { x, y } = project({ latitude, longitude })
    assert.ok(!rings.some((ring) => isInside(ring, x * 2, y * 2)), 'the sea')
  }
  assert.ok(LAND.length < 12_000)
})

type Point = readonly [number, number]

/** The points of `Mx yldx dy …`. */
function ringOf(path: string): readonly Point[] {
  const numbers = Array.from(path.matchAll(/-?\d+/g), ([word]) => Number(word))
  let x = 0
  let y = 0
  return Array.from({ length: numbers.length / 2 }, (_, at) => {
    x += numbers[2 * at] as number
    y += numbers[2 * at + 1] as number
    return [x, y] as const
  })
}

/** Whether a line from the point to the east crosses the ring an odd number of times. */
function isInside(ring: readonly Point[], x: number, y: number): boolean {
  return ring.reduce((inside, [ax, ay], at) => {
    const [bx, by] = ring[(at + 1) % ring.length] as Point
    return ay > y !== by > y && x < ax + ((bx - ax) * (y - ay)) / (by - ay) ? !inside : inside
  }, false)
}
