import { type Fault, isWeftError } from '@weft/core'
import {
  type ApplyKillSwitch,
  type ConfiguredFields,
  type KillSwitchStatus,
  type MachineWays,
  type PendingWays,
  type Profile,
  type ProfileChange,
  type ProfileDocument,
  type ProfileField,
  type ProfileFields,
  type ProfilesFile,
  type PutMode,
  type ResolvedFields,
  type RouteProfile,
  checkCountry,
  compareProfiles,
  exportProfile,
  foreignWarnings,
  importProfile,
  isBuiltIn,
  killSwitchMissing,
  killSwitchWish,
  machineWaysOf,
  parseProfileFields,
  parseProfileName,
  profileWarnings,
  resolveProfile,
  routeProfileOf,
  shutWarnings,
  stricterOf,
} from '@weft/vpn'

/** A profile as it is shown. */
export interface ProfileView {
  readonly name: string
  readonly builtIn: boolean
  readonly inUse: boolean
  /** What it says. */
  readonly fields: ProfileFields
  /** With the configuration of the node in the place of what it leaves out. */
  readonly effective: ResolvedFields
  /** What whoever relies on it should know. */
  readonly warnings: readonly Fault[]
}

/** What a change did, or would do. */
export interface ChangedProfile {
  readonly profile: ProfileView
  readonly created: boolean
  readonly changes: readonly ProfileChange[]
  /** Nothing was done. */
  readonly checked: boolean
  readonly pending: PendingWays
}

/** What follows the profile in use. */
export interface ProfileFollower {
  setProfile(route: RouteProfile, ways: MachineWays): void
  readonly pending: PendingWays
}

export interface VpnProfilesInit {
  readonly file: ProfilesFile
  readonly configured: ConfiguredFields
  /** Where names are answered when a profile says so. */
  readonly dns: { readonly host: string; readonly port: number }
  readonly applyKillSwitch: ApplyKillSwitch
}

export interface PutOptions {
  readonly mode: PutMode
  /** Only says what would change. */
  readonly check: boolean
}

const NOTHING: PendingWays = { fields: [], takes: undefined }

/**
 * The profiles of a node, and the VPN that follows the one in use. Without a daemon nobody follows, and the file is changed alone. Changes go one
 * after another.
 */
export class VpnProfiles {
  readonly #init: VpnProfilesInit
  #follower: ProfileFollower | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(init: VpnProfilesInit) {
    this.#init = init
  }

  /** @throws WeftError E_PROFILES_FILE */
  get inUse(): { readonly name: string; readonly route: RouteProfile; readonly ways: MachineWays } {
    const profile = this.#init.file.inUse
    const resolved = this.#resolve(profile.fields)
    const ways = machineWaysOf(profile, resolved, this.#init.dns)
    return { name: profile.name, route: routeProfileOf(resolved), ways }
  }

  /**
   * What whoever relies on the profile in use should know.
   * @param state of the machine's kill switch, whoever put it on; undefined where there is none
   * @throws WeftError E_PROFILES_FILE
   */
  warnings(state: KillSwitchStatus['state'] | undefined): readonly Fault[] {
    const { inUse } = this.#init.file
    const effective = this.#resolve(inUse.fields)
    const isMissing = state === 'off' && effective.killSwitch !== 'off'
    return [
      ...(isMissing ? [killSwitchMissing(inUse.name)] : []),
      ...profileWarnings(inUse, effective, state === 'on' || state === 'damaged'),
    ]
  }

  /** What the VPN, which is up, does not do yet of what its profile says. */
  get pending(): PendingWays {
    return this.#follower?.pending ?? NOTHING
  }

  /** From now on it is told of each change. */
  follow(follower: ProfileFollower): void {
    this.#follower = follower
  }

  /** @throws WeftError E_PROFILES_FILE */
  list(): readonly ProfileView[] {
    return this.#init.file.list().map((profile) => this.#view(profile))
  }

  /** @throws WeftError E_PROFILE_UNKNOWN, E_PROFILES_FILE */
  get(name: string): ProfileView {
    return this.#view(this.#init.file.get(name))
  }

  /** @throws WeftError E_PROFILE_UNKNOWN, E_PROFILES_FILE */
  export(name: string): ProfileDocument {
    return exportProfile(this.#init.file.get(name))
  }

  /**
   * Creates a profile, or gives one other fields: all of them.
   * @throws WeftError E_PROFILE_INVALID, E_PROFILE_BUILT_IN, E_PROFILE_EXISTS, E_PROFILE_LIMIT, E_PROFILES_FILE; what a kill switch throws
   */
  put(name: unknown, fields: unknown, options: PutOptions): Promise<ChangedProfile> {
    const profile = { name: parseProfileName(name), fields: parseProfileFields(fields) }
    return this.#inTurn(() => this.#put(profile, options))
  }

  /** @param name another one than it has in the document. @throws WeftError as `put` */
  async import(
    document: unknown,
    options: PutOptions & { readonly name?: string | undefined },
  ): Promise<ChangedProfile & { readonly leftOut: readonly ProfileField[] }> {
    const { profile, leftOut } = importProfile(document)
    const name = options.name === undefined ? profile.name : parseProfileName(options.name)
    const changed = await this.#inTurn(() => this.#put({ ...profile, name }, options))
    const warnings = [...changed.profile.warnings, ...foreignWarnings(profile)]
    return { ...changed, profile: { ...changed.profile, warnings }, leftOut }
  }

  /** @throws WeftError E_PROFILE_BUILT_IN, E_PROFILE_UNKNOWN, E_PROFILE_IN_USE, E_PROFILES_FILE */
  delete(name: string): Promise<void> {
    return this.#inTurn(async () => this.#init.file.delete(name))
  }

  /** @throws WeftError E_PROFILE_UNKNOWN, E_PROFILES_FILE; what a kill switch throws where it cannot be put on: then the one before stays in use */
  use(name: string): Promise<ChangedProfile> {
    return this.#inTurn(async () => {
      const { file } = this.#init
      const [before, after] = [file.inUse, file.get(name)]
      await this.#switchOver(before.fields, after.fields, () => file.use(name))
      const changes = compareProfiles(before.fields, after.fields)
      return { profile: this.#view(after), created: false, changes, checked: false, pending: this.pending }
    })
  }

  /** What the profile in use wants before the VPN is put up. @throws WeftError E_PROFILES_FILE; what a kill switch throws */
  prepareUp(): Promise<void> {
    return this.#inTurn(async () => {
      const { killSwitch } = this.#resolve(this.#init.file.inUse.fields)
      if (killSwitch !== 'off') await this.#init.applyKillSwitch(killSwitchWish(killSwitch))
    })
  }

  async #put(profile: Profile, { mode, check }: PutOptions): Promise<ChangedProfile> {
    const { file } = this.#init
    checkCountry(profile.fields)
    file.checkPut(profile.name, mode)
    const before = file.list().find(({ name }) => name === profile.name)
    const isUsed = file.inUse.name === profile.name
    if (!check && isUsed && before !== undefined)
      await this.#switchOver(before.fields, profile.fields, () => file.put(profile, mode))
    else if (!check) file.put(profile, mode)
    return {
      profile: this.#view(profile),
      created: before === undefined,
      changes: compareProfiles(before?.fields ?? {}, profile.fields),
      checked: check,
      pending: this.pending,
    }
  }

  /**
   * Has another profile in use, or the same with other fields. Until the file says so, the switch holds back what either profile holds back; only
   * after that it lets out what the new one does: wherever this breaks off, it is as strict as what is in use, and where it fails, as both.
   */
  async #switchOver(before: ProfileFields, after: ProfileFields, write: () => void): Promise<void> {
    const { applyKillSwitch } = this.#init
    const [was, will] = [this.#resolve(before).killSwitch, this.#resolve(after).killSwitch]
    const meanwhile = stricterOf(was, will)
    if (will !== 'off') await applyKillSwitch(killSwitchWish(meanwhile))
    write()
    const { route, ways } = this.inUse
    this.#follower?.setProfile(route, ways)
    if (will === 'off') await this.#takeBack(was !== 'off')
    else if (will !== meanwhile) await applyKillSwitch(killSwitchWish(will))
  }

  /** Of the switch, what the profile before wanted, or what a call left that failed. @param isThere whether it is known that there is something */
  async #takeBack(isThere: boolean): Promise<void> {
    try {
      await this.#init.applyKillSwitch(killSwitchWish('off'))
    } catch (error) {
      // Who may not take anything back has put nothing on.
      if (isThere || !isWeftError(error, 'E_KILL_SWITCH_RIGHTS')) throw error
    }
  }

  #view({ name, fields }: Profile): ProfileView {
    const inUse = this.#init.file.inUse.name === name
    const effective = this.#resolve(fields)
    const profile = { name, fields }
    const shut = inUse ? [] : shutWarnings(profile, effective)
    const warnings = [...profileWarnings(profile, effective, false), ...shut]
    return { name, builtIn: isBuiltIn(name), inUse, fields, effective, warnings }
  }

  #resolve(fields: ProfileFields): ResolvedFields {
    return resolveProfile(fields, this.#init.configured)
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(step)
    this.#turn = done.catch(() => {})
    return done
  }
}
