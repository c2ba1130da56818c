import { join } from 'node:path'

/**
 * The environment in which the processes of a run of tests share compiled code and stripped types (Node's module
 * compile cache). Loading modules is most of what a quick test file costs: 1.4 s of CPU for the overlay, 0.8 s with it.
 */
export function withCompileCache(root: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/weft-compiled'), ...env }
}
