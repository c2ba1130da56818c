export { hasDisplay, openInBrowser } from './output/open-in-browser.ts'
export { runCli } from './program/run-cli.ts'
export { ALL_COMMANDS } from './specs/all-commands.ts'
