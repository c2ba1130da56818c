import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LinkCommand, commandWord, isAboutLink, readCommand } from '../../src/link/link-command.ts'

test('a command is the first of four bytes, the others zeros', () => {
  assert.deepEqual(Object.values(LinkCommand), [0, 1, 2, 3, 4, 5])
  for (const command of Object.values(LinkCommand)) {
    assert.equal(commandWord(command) >>> 24, command)
    assert.equal(readCommand(commandWord(command)), command)
    assert.equal(isAboutLink(command), command >= LinkCommand.ping)
  }
})

test('other words are no command', () => {
  for (const word of [1, 0x0100_0001, 0x0500_0001, 0x0600_0000, 0xff00_0000, 0xffff_ffff])
    assert.equal(readCommand(word), undefined)
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), (word) => {
      const expected = (word & 0xff_ffff) === 0 && word >>> 24 <= 5 ? word >>> 24 : undefined
      assert.equal(readCommand(word), expected)
    }),
  )
})
