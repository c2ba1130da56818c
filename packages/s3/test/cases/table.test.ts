import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { describe, test } from 'node:test'

const here = new URL('.', import.meta.url)
const page = readFileSync(new URL('../../../../docs/specs/s3-cases.md', here), 'utf8')

/** What stands below `## title`. */
function section(title: string): string {
  const found = page.split(/^## /m).find((part) => part.startsWith(`${title}\n`))
  assert.ok(found !== undefined, `no section ${title}`)
  return found
}

/** Names of cases in lines that are nothing else, or in the second column of a table. */
function casesOf(text: string): string[] {
  const lists = text.split('\n').map((line) => /^\|[^|]+\|(.*)\|$/.exec(line)?.[1] ?? line)
  const names = lists.filter((line) => /^ *(`\w+` *)+$/.test(line))
  return names.flatMap((line) => Array.from(line.matchAll(/`(\w+)`/g), (match) => match[1] ?? ''))
}

/** By file, the tests that the page names. */
function namedTests(): Map<string, string[]> {
  const files = section('Ported').split(/^### /m).slice(1)
  return new Map(
    files.map((text) => {
      const name = /^`([\w.-]+)`/.exec(text)?.[1] ?? ''
      const rows = [...text.matchAll(/^\| (.+?) \| /gm)].map((match) => match[1] ?? '')
      return [name, rows.slice(1)] as const
    }),
  )
}

function testsIn(file: string): string[] {
  const source = readFileSync(new URL(file, here), 'utf8')
  return [...source.matchAll(/^ *test\(\s*'([^']+)'/gm)].map((match) => match[1] ?? '')
}

describe('the page of cases', () => {
  test('names the tests that there are, all of them and no others', () => {
    const files = readdirSync(here).filter((name) => name.endsWith('.test.ts') && name !== 'table.test.ts')
    const named = namedTests()
    assert.deepEqual([...named.keys()].toSorted(), files.toSorted())
    for (const [file, tests] of named) assert.deepEqual(tests, testsIn(file), file)
  })

  test('has each case once, and as many as it says', () => {
    const parts = ['Ported', 'Gaps', 'Not applicable'].map((title) => casesOf(section(title)))
    const all = parts.flat()
    assert.deepEqual(
      all.filter((name, at) => all.indexOf(name) !== at),
      [],
    )
    const told = [...page.matchAll(/^\| (?:ported|gaps|not applicable|all) \| (\d+) \|$/gm)].map((match) =>
      Number(match[1]),
    )
    assert.deepEqual(
      told,
      [...parts, all].map(({ length }) => length),
    )
  })
})
