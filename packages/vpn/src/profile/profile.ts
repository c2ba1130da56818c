/** Delays, padding and cover traffic of routes; docs/security.md says what each is worth. */
export type ProfileTier = 'off' | 'standard' | 'high'

/** What shares a route: everything; what asks with one user and password; what goes to one destination. */
export type ProfileIsolation = 'none' | 'credentials' | 'destination'

/** Whether nothing leaves the machine but through the VPN; `allow-lan`: nothing but that and the local network. */
export type KillSwitchSetting = 'off' | 'on' | 'allow-lan'

/** What a profile may say (docs/specs/profiles.md). What is left out is as the configuration of the node has it. */
export interface ProfileFields {
  /** An exit wish in its written form (route/exit-wish.ts). */
  readonly exit?: string
  /** Nodes of a route, 2 to 5. */
  readonly hops?: number
  readonly tier?: ProfileTier
  /** Circuits to the exit that are in use at once. */
  readonly legs?: 1 | 2
  readonly isolation?: ProfileIsolation
  /** Minutes after which new streams take new routes, 1 to 1,440. */
  readonly rotationMinutes?: number
  readonly killSwitch?: KillSwitchSetting
  readonly tun?: 'on' | 'off'
  /** CIDRs. */
  readonly tunExclude?: readonly string[]
  readonly tunInclude?: readonly string[]
  /** Users of this machine, by name or number. */
  readonly tunExcludeUsers?: readonly string[]
  readonly tunIncludeUsers?: readonly string[]
  /** Paths of cgroups (v2). */
  readonly tunExcludeCgroups?: readonly string[]
  readonly tunIncludeCgroups?: readonly string[]
  /** exit: names are answered on this machine by DNS, asked for at the exit. */
  readonly dns?: 'exit' | 'off'
}

export type ProfileField = keyof ProfileFields

export interface Profile {
  /** 1 to 32 of a-z, 0-9 and -. */
  readonly name: string
  readonly fields: ProfileFields
}

/** With what its configuration says in the place of what it leaves out. */
export type ResolvedFields = Required<ProfileFields>
