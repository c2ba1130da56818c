import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import type { VpnRouteAnswer } from '@weft/node'
import { Output } from '../src/output/output.ts'
import { routeWatch } from '../src/output/route-watch.ts'

const ROUTE: VpnRouteAnswer = {
  schemaVersion: 1,
  state: 'connecting',
  legs: [],
  throughput: { sentBytesPerSecond: 0, receivedBytesPerSecond: 0, sentBytes: 0, receivedBytes: 0 },
  events: [{ at: 500, kind: 'blocked', code: 'E_NO_EXIT', cause: 'No exit \x1b[2J.', fix: 'Wait.' }],
  others: [],
}

test('on a terminal the page is drawn anew in place, and the terminal is as it was before in the end', () => {
  let text = ''
  const stream = new Writable({
    decodeStrings: false,
    write: (more: string, _, done) => {
      text += more
      done()
    },
  })
  Object.assign(stream, { isTTY: true, rows: 5 })
  const output = new Output(false, stream as unknown as NodeJS.WriteStream)
  const watch = routeWatch(output, false)
  watch.show(ROUTE, 1_000)
  assert.ok(text.startsWith('\x1b[?1049h\x1b[?7l\x1b[H00:00:01  Ctrl-C ends'))
  // As many lines as there is room for, and what is behind goes.
  assert.equal(text.split('\n').length, 5)
  assert.ok(text.endsWith('\x1b[J\x1b[?7h'))
  text = ''
  watch.lost({ code: 'E_DAEMON_NOT_RUNNING', cause: 'None runs.', fix: 'Start it.' }, 2_000)
  assert.match(text, /00:00:02.*The daemon does not answer.*\n.*E_DAEMON_NOT_RUNNING.*\n.*Start it\./)
  text = ''
  watch[Symbol.dispose]()
  assert.ok(text.startsWith('\x1b[?1049l'))
  // What was seen last stays, and what others chose does nothing to the terminal.
  assert.match(text, /No exit \\u001b\[2J\./)
})
