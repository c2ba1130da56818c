import { WeftError } from '@weft/core'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashFiles } from './hash-files.ts'
import { listFiles } from './list-files.ts'
import { runCommand } from './run-command.ts'
import { readStamp } from './stamp.ts'

const SCHEMAS = 'packages/wire/proto'
const GENERATED = 'packages/wire/src/generated'
const STAMP = '.stamp'

/** `erasable_syntax` and `import_extension`: the output must run by type stripping alone, without a build. */
const PLUGIN_OPTIONS = ['target=ts', 'erasable_syntax=true', 'import_extension=ts']

/**
 * Generates the TypeScript message types from the protobuf schemas with buf and protoc-gen-es, both from
 * node_modules: no network, no system protoc.
 * @throws WeftError E_GENERATE when buf refuses the schemas
 */
export async function generateMessages(root: string): Promise<string> {
  const schemas = listFiles(root, [`${SCHEMAS}/**/*.proto`])
  if (schemas.length === 0) {
    throw new WeftError({ code: 'E_GENERATE', cause: `${SCHEMAS} holds no schema.`, fix: 'Restore it from git.' })
  }
  const versions = ['@bufbuild/buf', '@bufbuild/protoc-gen-es'].map((name) => versionOf(root, name))
  const hash = hashFiles(root, schemas, [...versions, ...PLUGIN_OPTIONS])
  const target = join(root, GENERATED)
  if (readStamp(join(target, STAMP)) === hash) return `${schemas.length} schemas, unchanged`

  // A directory of its own, swapped in whole: a type check that runs meanwhile never sees half of the files.
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const staging = mkdtempSync(join(cache, 'weft-generated-'))
  try {
    await runBuf(root, staging)
    writeFileSync(join(staging, STAMP), `${hash}\n`)
    chmodSync(staging, 0o755)
    rmSync(target, { recursive: true, force: true })
    renameSync(staging, target)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
  return `${schemas.length} schemas, ${listFiles(target, ['**/*.ts']).length} files written`
}

async function runBuf(root: string, out: string): Promise<void> {
  const template = {
    version: 'v2',
    clean: false,
    inputs: [{ directory: join(root, SCHEMAS) }],
    plugins: [
      {
        // Named by path: a global protoc-gen-es of another version must not win.
        local: [process.execPath, join(root, 'node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es')],
        out,
        opt: PLUGIN_OPTIONS,
      },
    ],
  }
  const buf = join(root, 'node_modules/@bufbuild/buf/bin/buf')
  const { code, output } = await runCommand(
    process.execPath,
    [buf, 'generate', '--template', JSON.stringify(template)],
    { cwd: root },
  )
  if (code === 0) return
  throw new WeftError({
    code: 'E_GENERATE',
    cause: `buf generate ended with code ${code}:\n${output}`,
    fix: existsSync(buf) ? `Correct the schema that buf names in ${SCHEMAS}.` : "Run 'npm ci'.",
  })
}

function versionOf(root: string, name: string): string {
  const manifest = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
    version: string
  }
  return `${name}@${manifest.version}`
}
