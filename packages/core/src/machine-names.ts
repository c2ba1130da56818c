/** The name of a user of this machine, or its number. */
export const USER_NAME = /^(?:[0-9]{1,10}|[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?)$/

/** The path of a cgroup (v2), as /proc/PID/cgroup has it: without empty parts, `.` and `..`. */
export const CGROUP_PATH = /^(?!.*\/(?:\/|\.{1,2}(?:\/|$)))\/[A-Za-z0-9@:._\\+/-]{0,511}[A-Za-z0-9@:._\\+-]$/
