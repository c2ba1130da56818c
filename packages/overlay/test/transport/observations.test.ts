import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Observations } from '../../src/transport/observations.ts'

function seen(
  ...rows: readonly (readonly [from: string, host: string, port: number, shared?: boolean])[]
): Observations {
  const observations = new Observations()
  for (const [from, host, port, shared = true] of rows)
    observations.add({ from: `/ip4/${from}/tcp/1`, host, port, shared })
  return observations
}

test('nothing is known before anybody said it', () => {
  assert.equal(seen().host(), undefined)
  assert.equal(seen().endpoint(), undefined)
})

test('what most addresses say is taken; one address has one voice', () => {
  const observations = seen(['5.1.0.1', '9.9.9.9', 1], ['5.2.0.1', '9.9.9.9', 1])
  for (let index = 0; index < 10; index++)
    observations.add({ from: '/ip4/6.6.6.6/tcp/1', host: '1.2.3.4', port: index, shared: true })
  assert.deepEqual(observations.endpoint(), { host: '9.9.9.9', port: 1 })
})

test('a port that is another towards each is none to be told, nor is one that was not shared', () => {
  assert.equal(seen(['5.1.0.1', '9.9.9.9', 1], ['5.2.0.1', '9.9.9.9', 2]).endpoint(), undefined)
  assert.equal(seen(['5.1.0.1', '9.9.9.9', 1, false]).endpoint(), undefined)
  assert.deepEqual(
    seen(['5.1.0.1', '9.9.9.9', 1], ['5.2.0.1', '9.9.9.9', 2, false], ['5.3.0.1', '9.9.9.9', 1]).endpoint(),
    { host: '9.9.9.9', port: 1 },
  )
})

test('a bounded number is remembered, the newest', () => {
  const observations = new Observations()
  for (let index = 0; index < 300; index++)
    observations.add({
      from: `/ip4/5.${index % 250}.${index}.1/tcp/1`,
      host: index < 260 ? 'old' : 'new',
      port: 1,
      shared: true,
    })
  assert.equal(observations.host(), 'new')
})
