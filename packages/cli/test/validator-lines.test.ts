import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validatorLines } from '../src/output/validator-lines.ts'

const seat = (id: string, state: 'answers' | 'silent' | 'unknown') => {
  return { id, addresses: [`/ip4/192.0.2.${id}/tcp/4780`], family: id, state, inMap: state !== 'silent' }
}

test('beside how many validators may be down stands how many do not answer, and below each why it refused', () => {
  const fault = { code: 'E_ADMISSION_UNREACHABLE', cause: 'Nobody\u001b[2J answers.', fix: 'Open the port.' }
  const validators = [
    seat('1', 'silent'),
    seat('2', 'silent'),
    { ...seat('3', 'unknown'), fault },
    seat('4', 'answers'),
  ]
  const lines = validatorLines({ validators, quorum: 3, tolerated: 1 }, (id) => `n${id}`)
  assert.equal(lines[0], 'validators  4, of which 3 must sign; 1 may be down; 2 do not answer')
  assert.equal(lines[1], '            n1  /ip4/192.0.2.1/tcp/4780  does not answer  not in the map')
  assert.ok(lines[4]?.startsWith('              E_ADMISSION_UNREACHABLE: Nobody'))
  assert.ok(!lines[4]?.includes('\u001b'))
  assert.equal(lines.length, 6)
  const well = validatorLines({ validators: [seat('4', 'answers')], quorum: 1, tolerated: 0 }, (id) => id)
  assert.equal(well[0], 'validators  1, of which 1 must sign; none may be down')
})
