/**
 * Flags of Node for the daemon's process; whoever starts it puts them before the script.
 *
 * Young objects of a daemon die young: a small nursery (2 MB in place of 16 per half) keeps an idle node at 107 to
 * 120 MB of RSS, 144 to 149 without it (ten members, Node 26.10); puts and gets take as long with 4 and 8 MB.
 * The old generation may grow by 60 % before it is collected: by default V8 collects a heap of 22 MB again after 2 MB
 * more, which was once per put in every holder and an eighth of all that a put costs; with it half of that, at the same RSS.
 */
export const DAEMON_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=2', '--heap-growing-percent=60']
