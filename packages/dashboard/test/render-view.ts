import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/**
 * A function that renders a view of src/parts to HTML. Node runs no JSX: the view is bundled with a renderer, as the
 * page's build does it.
 * @param view the name of the file, without .tsx
 * @param component what it exports
 */
export async function viewRenderer<Props>(view: string, component: string): Promise<(props: Props) => string> {
  const directory = mkdtempSync(join(tmpdir(), 'weft-view-'))
  try {
    const outfile = join(directory, 'view.mjs')
    await build({
      stdin: {
        contents: `
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server.edge'
import { ${component} } from './${view}.tsx'
export const render = (props) => renderToStaticMarkup(createElement(${component}, props))
`,
        resolveDir: join(import.meta.dirname, '..', 'src', 'parts'),
        loader: 'js',
      },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'browser',
      jsx: 'automatic',
      define: { 'process.env.NODE_ENV': '"production"' },
      logLevel: 'silent',
    })
    return ((await import(pathToFileURL(outfile).href)) as { render: (props: Props) => string }).render
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
