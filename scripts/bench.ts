import { WeftError } from '@weft/core'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { Bench } from '../bench/lib/bench-result.ts'
import { renderBench, replaceSection } from './lib/bench-report.ts'
import { readBenchSetting } from './lib/bench-setting.ts'
import { buildDist } from './lib/build-dist.ts'
import { failWith } from './lib/fail-with.ts'
import { listFiles } from './lib/list-files.ts'
import { repositoryRoot as root } from './lib/repository-root.ts'

const PAGE = 'bench/README.md'

function choose(available: readonly string[], asked: readonly string[]): readonly string[] {
  const unknown = asked.filter((name) => !available.includes(name))
  if (unknown.length === 0) return asked.length === 0 ? available : asked
  throw new WeftError({
    code: 'E_BENCH_UNKNOWN',
    cause: `There is no bench ${unknown.join(', ')}.`,
    fix: `Name one or more of: ${available.join(', ')}.`,
  })
}

async function runBench(name: string): Promise<void> {
  const module = (await import(pathToFileURL(join(root, 'bench', name, 'bench.ts')).href)) as { default: Bench }
  const setting = await readBenchSetting(root)
  const record = { ...setting, ...(await module.default()) }

  mkdirSync(join(root, 'bench/results'), { recursive: true })
  writeFileSync(join(root, 'bench/results', `${name}.json`), `${JSON.stringify(record, null, 2)}\n`)
  const section = renderBench(record)
  writeFileSync(join(root, PAGE), replaceSection(readFileSync(join(root, PAGE), 'utf8'), name, section))
  console.log(`${section}\n`)
}

try {
  const available = listFiles(root, ['bench/*/bench.ts']).flatMap((path) => path.split('/').slice(1, 2))
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { long: { type: 'boolean', default: false } },
  })
  if (values.long) process.env['WEFT_LONG'] ??= '1'
  const names = choose(available, positionals)
  await buildDist(root, { report: (line) => console.error(`build: ${line}`) })
  console.error(`bench: ${names.join(', ')}`)
  for (const name of names) await runBench(name)
  process.exit(0)
} catch (error) {
  failWith(error)
}
