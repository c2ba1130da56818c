import { loadConfig } from '@weft/node'

/**
 * The roles that weft.toml or the environment gives a node; undefined where they say nothing of them.
 * @throws WeftError E_CONFIG_INVALID, E_CONFIG_UNKNOWN
 */
export async function configuredRoles(home: string, env: NodeJS.ProcessEnv): Promise<readonly string[] | undefined> {
  const { roles, sources } = await loadConfig(['--home', home], env)
  const isSaid = sources['node.roles'] !== 'default' || sources['node.preset'] !== 'default'
  return isSaid ? roles : undefined
}
