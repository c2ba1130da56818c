import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bundleDashboard } from '../lib/bundle-dashboard.ts'
import { PROGRAMS, bundlePrograms, bundleWorkers } from '../lib/bundle-programs.ts'
import { runCommand } from '../lib/run-command.ts'
import { PlantedTree } from './planted-tree.ts'

test('programs share chunks, load what is lazy, start workers and run bundled CommonJS', async () => {
  using tree = new PlantedTree({
    'dist/package.json': '{"type":"module"}',
    'node_modules/old/index.js': "module.exports = { os: () => typeof require('node' + ':os').cpus, dir: __dirname }\n",
    'packages/cli/src/shared.ts': 'export const shared: string = "shared"\n',
    'packages/cli/src/lazy.ts': "import old from 'old'\nexport const lazy = old.os()\n",
    'packages/cli/src/sum.worker.ts':
      "import { parentPort } from 'node:worker_threads'\nimport { shared } from './shared.ts'\nparentPort?.postMessage(shared)\n",
    'packages/cli/src/main.ts': `
      import { once } from 'node:events'
      import { Worker } from 'node:worker_threads'
      import { shared } from './shared.ts'
      const { lazy } = await import('./lazy.ts')
      const [said] = await once(new Worker(new URL('./workers/sum.js', import.meta.url)), 'message')
      console.log(shared, lazy, said)`,
    'packages/node/src/daemon-main.ts':
      "import { shared } from '../../cli/src/shared.ts'\nconsole.log('daemon', shared)\n",
  })
  const out = join(tree.root, 'dist')
  await bundlePrograms(tree.root, Object.values(PROGRAMS), out)
  await bundleWorkers(tree.root, out)

  const run = (file: string): Promise<{ output: string }> =>
    runCommand(process.execPath, [join(out, file)], { cwd: out })
  assert.equal((await run('weft.js')).output, 'shared function shared\n')
  assert.equal((await run('daemon.js')).output, 'daemon shared\n')
  assert.ok(readdirSync(out).filter((name) => /^chunk-.*\.js$/.test(name)).length > 0)
})

test('what a program does not use of a module of Node is not loaded', async () => {
  using tree = new PlantedTree({
    'dist/package.json': '{"type":"module"}',
    'packages/cli/src/main.ts': `
      import { STATUS_CODES, request } from 'node:http'
      import * as path from 'node:path'
      import process, { pid } from 'node:process'
      const loaded = (process as unknown as { moduleLoadList: string[] }).moduleLoadList
      console.log(STATUS_CODES[200], typeof request, path.join('a', 'b'), pid === process.pid)
      console.log(loaded.filter((name) => name.includes('undici')).length)`,
  })
  const out = join(tree.root, 'dist')
  await bundlePrograms(tree.root, Object.values(PROGRAMS).slice(0, 1), out)
  const { output } = await runCommand(process.execPath, [join(out, 'weft.js')], { cwd: out })
  assert.equal(output, 'OK function a/b true\n0\n')
})

test('only the programs that are asked for are bundled', async () => {
  using tree = new PlantedTree({ 'packages/cli/src/main.ts': 'console.log(1)\n' })
  const out = join(tree.root, 'dist')
  await bundlePrograms(tree.root, ['packages/cli/src/main.ts'], out)
  assert.deepEqual(readdirSync(out).toSorted(), ['weft.js', 'weft.js.map'])
})

const PAGE = '<head>\n<!-- build: styles and scripts -->\n</head>\n'

test("the dashboard's page names its scripts and styles by their hashed names", async () => {
  using tree = new PlantedTree({
    'packages/dashboard/src/index.html': PAGE,
    'packages/dashboard/src/main.tsx': "import './style.css'\ndocument.title = 'x'\n",
    'packages/dashboard/src/style.css': 'body { color: red }\n',
    'packages/dashboard/public/icon.svg': '<svg/>\n',
  })
  const out = join(tree.root, 'out')
  await bundleDashboard(tree.root, out)
  const assets = readdirSync(join(out, 'assets'))
  const named = Array.from(
    readFileSync(join(out, 'index.html'), 'utf8').matchAll(/"\/assets\/([^"]+)"/g),
    ([, name = '']) => name,
  )
  assert.match(named.join(' '), /^dashboard-\w{8}\.css dashboard-\w{8}\.js$/)
  assert.deepEqual(assets.toSorted(), [...named, 'icon.svg'].toSorted())
})

test('a page without a place for its scripts is refused', async () => {
  using tree = new PlantedTree({
    'packages/dashboard/src/index.html': '<head></head>',
    'packages/dashboard/src/main.tsx': "document.title = 'x'\n",
  })
  await assert.rejects(bundleDashboard(tree.root, join(tree.root, 'out')), { code: 'E_BUILD' })
})
