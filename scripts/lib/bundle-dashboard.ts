import { WeftError } from '@weft/core'
import { build } from 'esbuild'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

export const DASHBOARD = 'packages/dashboard/src/main.tsx'

const PAGE = 'packages/dashboard/src/index.html'
const PUBLIC = 'packages/dashboard/public'

/** Where the page takes the names of its bundled files, which change with their content. */
const PLACE = '<!-- build: styles and scripts -->'

/**
 * Bundles the dashboard into `out`: index.html, and under assets/ the scripts and styles by hashed names (a browser
 * may keep those for ever) and the files of the package's public directory.
 * @throws WeftError E_BUILD when the page has no place for its scripts
 */
export async function bundleDashboard(root: string, out: string): Promise<void> {
  const assets = join(out, 'assets')
  mkdirSync(assets, { recursive: true })
  if (existsSync(join(root, PUBLIC))) cpSync(join(root, PUBLIC), assets, { recursive: true })

  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [{ in: join(root, DASHBOARD), out: 'dashboard' }],
    outdir: assets,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    publicPath: '/assets',
    bundle: true,
    platform: 'browser',
    target: ['chrome120', 'firefox120', 'safari17'],
    format: 'esm',
    splitting: true,
    minify: true,
    jsx: 'automatic',
    loader: { '.svg': 'file', '.woff2': 'file' },
    define: { 'process.env.NODE_ENV': '"production"' },
    metafile: true,
    legalComments: 'none',
    logLevel: 'silent',
  })

  const page = readFileSync(join(root, PAGE), 'utf8')
  if (!page.includes(PLACE)) {
    throw new WeftError({ code: 'E_BUILD', cause: `${PAGE} does not contain ${PLACE}.`, fix: 'Put it into its head.' })
  }
  const tags = Object.entries(metafile.outputs)
    .filter(([, { entryPoint }]) => entryPoint !== undefined)
    .flatMap(([script, { cssBundle }]) => [
      ...(cssBundle === undefined ? [] : [`<link rel="stylesheet" href="/assets/${basename(cssBundle)}" />`]),
      `<script type="module" src="/assets/${basename(script)}"></script>`,
    ])
  writeFileSync(join(out, 'index.html'), page.replace(PLACE, tags.join('\n    ')))
}
