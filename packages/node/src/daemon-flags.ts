/**
 * Flags of Node for the daemon's process; whoever starts it puts them before the script.
 *
 * Young objects of a daemon die young: a small nursery (2 MB in place of 16 per half) keeps an idle node at 107 to
 * 120 MB of RSS, 144 to 149 without it (ten members, Node 26.10). What it costs in speed has not been measured.
 */
export const DAEMON_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=2']
