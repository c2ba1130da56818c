import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../lib/run-command.ts'
import { TestTotals } from '../lib/test-totals.ts'
import { PlantedTree } from './planted-tree.ts'

const RUNNER = fileURLToPath(new URL('../lib/run-tests.ts', import.meta.url))

const PASSING =
  "import { test } from 'node:test'\ntest('sound', () => {})\ntest('absent', { skip: 'no tool' }, () => {})\n"
const FAILING = "import { test } from 'node:test'\ntest('broken', () => { throw new Error('planted') })\n"

/** Runs two phases of one file each in a process of its own, as the runner does not run inside of itself. */
async function runPhases(first: string, second: string): Promise<{ code: number; output: string }> {
  using tree = new PlantedTree({ 'package.json': '{"type":"module"}', 'a.test.js': first, 'b.test.js': second })
  const phase = (file: string): unknown => ({ files: [file], concurrency: 1, timeoutMs: 60_000 })
  const program = `
    import { runTests } from ${JSON.stringify(RUNNER)}
    const totals = await runTests(${JSON.stringify(tree.root)}, ${JSON.stringify([phase('a.test.js'), phase('b.test.js')])})
    process.exit(totals.ok ? 0 : 1)`
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  tree.write('run.js', program)
  return await runCommand(process.execPath, ['run.js'], { cwd: tree.root, env })
}

const closing = (output: string): string => output.trimEnd().split('\n').slice(-8, -1).join(' ')

test('phases are counted as one run, whose closing lines come last', async () => {
  const { code, output } = await runPhases(PASSING, PASSING)
  assert.equal(code, 0, output)
  assert.equal(closing(output), 'ℹ tests 4 ℹ suites 0 ℹ pass 2 ℹ fail 0 ℹ cancelled 0 ℹ skipped 2 ℹ todo 0')
  assert.match(output, /absent.*no tool/)
})

test('a failure in any phase fails the run and is shown before the closing lines', async () => {
  const { code, output } = await runPhases(FAILING, PASSING)
  assert.equal(code, 1)
  assert.match(output, /planted/)
  assert.equal(closing(output), 'ℹ tests 3 ℹ suites 0 ℹ pass 1 ℹ fail 1 ℹ cancelled 0 ℹ skipped 1 ℹ todo 0')
})

test('no test at all is not a success', () => {
  const totals = new TestTotals()
  assert.equal(totals.ok, false)
  assert.equal(totals.add('tests 0'), true)
  assert.equal(totals.ok, false)
  assert.equal(totals.add('something that a test says'), false)
})
