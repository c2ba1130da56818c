import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { Output } from '../src/output/output.ts'
import { confirm } from '../src/program/confirm.ts'

function asked(
  answer: string | undefined,
  isTTY: boolean,
): { readonly done: Promise<void>; readonly words: () => string } {
  const stdin = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.ReadStream & PassThrough
  const stderr = new PassThrough() as unknown as NodeJS.WriteStream & PassThrough
  if (answer !== undefined) stdin.end(answer)
  const output = new Output(false, stderr, stderr)
  const done = confirm('Sure?', { output, signal: new AbortController().signal }, stdin)
  return { done, words: () => String(stderr.read() ?? '') }
}

test('at a terminal only yes is yes', async () => {
  for (const answer of ['y\n', 'Y\n', 'yes\n', ' yes \n']) {
    const { done, words } = asked(answer, true)
    await done
    assert.equal(words(), 'Sure? [y/N] ')
  }
  for (const answer of ['\n', 'n\n', 'no\n', 'yess\n', '', `y${' '.repeat(100)}\n`]) {
    await assert.rejects(asked(answer, true).done, { code: 'E_NOT_CONFIRMED' })
  }
})

test('where there is no terminal nobody is asked', async () => {
  const { done, words } = asked(undefined, false)
  await done
  assert.equal(words(), '')
})
