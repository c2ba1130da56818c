import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Compiled code of the modules below is kept between runs: it halves the start of the CLI. Where Node keeps it by itself,
// in the directory for temporary files, another user of the machine could have put code of theirs first.
enableCompileCache(join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'weft', 'compiled'))
const { runCli } = await import('./program/run-cli.ts')
process.exitCode = await runCli(process.argv.slice(2), process.env)
