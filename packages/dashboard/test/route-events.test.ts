import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import type { NamedEvent } from '../src/parts/route-events.tsx'
import { viewRenderer } from './render-view.ts'

let render: (events: readonly NamedEvent[]) => string
before(async () => {
  const view = await viewRenderer<{ events: readonly NamedEvent[] }>('route-events', 'RouteEvents')
  render = (events) => view({ events })
})

it('says when what happened, where, why and what to do, in a region that is read out', () => {
  const event = { at: 0, kind: 'degraded', code: 'E_HOP', cause: 'It <loses>.', fix: 'Wait.', role: 'relay' } as const
  const html = render([{ ...event, node: 'did:key:z6Mkaaaaaaaa' }])
  assert.match(
    html,
    /aria-live="polite".*data-kind="degraded"><time dateTime="1970-01-01T00:00:00\.000Z".*a hop got worse.*\(relay <code title="did:key:z6Mkaaaaaaaa">…aaaaaaaa<\/code>\).*<code>E_HOP<\/code> It &lt;loses&gt;\. <span class="quiet">Fix: Wait\./,
  )
})

it('keeps all but the newest six behind a line', () => {
  const events = Array.from({ length: 9 }, (_, at) => ({
    at: 9 - at,
    kind: 'moved' as const,
    code: `E_${at}`,
    cause: 'c',
    fix: 'f',
  }))
  const [shown = '', earlier = ''] = render(events).split('<details>')
  const codesOf = (html: string) => Array.from(html.matchAll(/E_\d/g), ([code]) => code)
  assert.deepEqual(codesOf(shown), ['E_0', 'E_1', 'E_2', 'E_3', 'E_4', 'E_5'])
  assert.deepEqual(codesOf(earlier), ['E_6', 'E_7', 'E_8'])
  assert.match(earlier, /<summary>3 earlier<\/summary>/)
  assert.doesNotMatch(render(events.slice(0, 6)), /<details>/)
})
