import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { landPath, type Topology } from './land-path.ts'

// Makes src/map/land.ts from the land of Natural Earth at 1:110 million, which is in the public domain
// (naturalearthdata.com, Terms of use). The file, in TopoJSON, is land-110m.json of the npm package world-atlas:
//   bin/node packages/dashboard/scripts/generate-land.ts FILE

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('Usage: generate-land.ts FILE, the land-110m.json of world-atlas')
const path = landPath(JSON.parse(readFileSync(file, 'utf8')) as Topology)
writeFileSync(
  join(import.meta.dirname, '..', 'src', 'map', 'land.ts'),
  `// Made by packages/dashboard/scripts/generate-land.ts; do not edit.

/**
 * The land of the world as an SVG path, in half units of the flat map (./project.ts): Natural Earth's at 1:110 million
 * (naturalearthdata.com, in the public domain), made plainer.
 */
export const LAND =
  '${path}'
`,
)
process.stdout.write(`${path.length} characters\n`)
