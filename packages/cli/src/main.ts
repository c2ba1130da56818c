import { enableCompileCache } from 'node:module'

// Compiled code of the modules below is kept between runs: it halves the start of the CLI.
enableCompileCache()
const { runCli } = await import('./program/run-cli.ts')
process.exitCode = await runCli(process.argv.slice(2), process.env)
