import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as z from 'zod'
import * as answers from '../../src/routes/answers.ts'

const page = (name: string): string =>
  readFileSync(new URL(`../../../../docs/specs/${name}.md`, import.meta.url), 'utf8')
const commands = page('cli').split('\n')

/** The fields that a row of the page names, in its order, of nested lists and objects as well. */
function fieldsOf(row: string): string[] {
  return [...row.matchAll(/[{,] ?(\w+\??)(?=[:,}])/g)].map(([, name]) => name as string)
}

/** The names of the fields of an object, with `?` where they may be absent. */
function fieldsIn(schema: { readonly shape: Record<string, z.ZodType> }): string[] {
  return Object.entries(schema.shape).map(([name, type]) => (type instanceof z.ZodOptional ? `${name}?` : name))
}

for (const [command, schema] of [
  ['weft members [member]', answers.membersAnswer.shape.members.unwrap().element],
  ['weft peers', answers.peersAnswer.shape.peers.unwrap().element],
  ['weft network show', answers.networkAnswer.shape.network],
  ['weft network invite', answers.joinTokenAnswer.omit({ schemaVersion: true })],
  ['weft network attest <member>', answers.attestationAnswer.omit({ schemaVersion: true })],
  ['weft network revoke <node>', answers.revokeAnswer.omit({ schemaVersion: true })],
  ['weft vpn up', answers.vpnStatusAnswer.omit({ schemaVersion: true })],
  ['weft vpn route', answers.vpnRouteAnswer.omit({ schemaVersion: true })],
  ['weft vpn route', answers.vpnRouteAnswer.shape.legs.unwrap().element],
  ['weft vpn route', answers.vpnRouteAnswer.shape.others.unwrap().element],
  ['weft vpn exits', answers.vpnExitsAnswer.shape.exits.unwrap().element],
  ['weft rm <object>', answers.removalAnswer.omit({ schemaVersion: true })],
  ['weft rm <object>', answers.removalAnswer.shape.holders.unwrap().element],
  ['weft renew <object>', answers.renewalAnswer.omit({ schemaVersion: true })],
  ['weft renew <object>', answers.renewalAnswer.shape.holders.unwrap().element],
  ['weft s3 takeover', answers.takeoverAnswer.omit({ schemaVersion: true })],
  ['weft import <file>', answers.importAnswer.omit({ schemaVersion: true })],
  ['weft status', answers.statusAnswer.omit({ schemaVersion: true })],
] as const) {
  test(`docs/specs/cli.md has every field of ${command}: ${fieldsIn(schema).join(', ')}`, () => {
    const row = commands.find((line) => line.startsWith(`| \`${command}\` |`))
    assert.ok(row !== undefined)
    const told = new Set(fieldsOf(row))
    assert.deepEqual(
      fieldsIn(schema).filter((name) => !told.has(name)),
      [],
    )
  })
}

test('docs/specs/http-api.md tells of a peer as the answer does', () => {
  const row = page('http-api')
    .split('\n')
    .find((line) => line.startsWith('| `peer` |'))
  assert.deepEqual(fieldsOf(row ?? ''), fieldsIn(answers.peersAnswer.shape.peers.unwrap().element))
})
