import { availableParallelism } from 'node:os'
import { withCompileCache } from './lib/compile-cache.ts'
import { failWith } from './lib/fail-with.ts'
import { findLayerViolations } from './lib/find-layer-violations.ts'
import { generateAll } from './lib/generate-all.ts'
import { repositoryRoot as root } from './lib/repository-root.ts'
import { findRuleBreaches } from './lib/repository-rules.ts'
import { runCommand } from './lib/run-command.ts'
import { type Step, runSteps } from './lib/run-steps.ts'
import { listTestFiles } from './lib/test-files.ts'

/** A quick test that takes longer than this has hung. */
const HUNG_MS = 60_000

/** A step that passes when a program from node_modules ends with code 0. */
function program(name: string, script: string, args: readonly string[]): Step {
  return {
    name,
    async run() {
      const { code, output } = await runCommand(process.execPath, [`node_modules/${script}`, ...args], { cwd: root })
      return { ok: code === 0, output }
    },
  }
}

const generate: Step = {
  name: 'generate',
  async run() {
    const generated = await generateAll(root)
    return { ok: true, output: '', summary: generated.map(({ name, outcome }) => `${name}: ${outcome}`).join('; ') }
  },
}

const layers: Step = {
  name: 'layers',
  async run() {
    const { modules, violations } = await findLayerViolations(root)
    return { ok: violations.length === 0, output: violations.join('\n'), summary: `${modules} modules` }
  },
}

const rules: Step = {
  name: 'repository rules',
  run() {
    const breaches = findRuleBreaches(root)
    return Promise.resolve({ ok: breaches.length === 0, output: breaches.join('\n') })
  },
}

const unitTests: Step = {
  name: 'quick tests',
  async run() {
    const files = listTestFiles(root).flatMap(({ path, kind }) => (kind === 'unit' ? [path] : []))
    if (files.length === 0) return { ok: false, output: 'No test file was found.' }
    const args = [
      '--test',
      '--test-reporter=dot',
      '--test-reporter-destination=stdout',
      '--test-concurrency=2',
      `--test-timeout=${HUNG_MS}`,
    ]
    const { code, output } = await runCommand(process.execPath, [...args, ...files], {
      cwd: root,
      env: withCompileCache(root, process.env),
    })
    return { ok: code === 0, output, summary: `${files.length} files` }
  },
}

/** The longest first, so that the two lanes end together. */
const STEPS: readonly Step[] = [
  unitTests,
  program('types', '@typescript/native/bin/tsc', ['--project', '.']),
  program('lint', 'oxlint/bin/oxlint', ['--type-aware', '--deny-warnings']),
  program('unused code and dependencies', 'knip/bin/knip.js', ['--no-progress', '--no-config-hints']),
  layers,
  rules,
  program('format', 'oxfmt/bin/oxfmt', ['--check', '.']),
]

try {
  const started = performance.now()
  const failed = await runSteps([generate], 1, console.log)
  if (failed.length === 0) {
    // CI has run every test already when it comes here.
    const steps = process.argv.includes('--without-tests') ? STEPS.filter((step) => step !== unitTests) : STEPS
    failed.push(...(await runSteps(steps, Math.min(2, availableParallelism()), console.log)))
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  console.log(failed.length === 0 ? `check: ok in ${seconds} s` : `check: failed in ${seconds} s: ${failed.join(', ')}`)
  if (failed.length > 0) process.exitCode = 1
} catch (error) {
  failWith(error)
}
