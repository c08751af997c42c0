/** A valid Valerter configuration, as its schema lets it through. */
export interface ValerterConfig {
  readonly version: 1 | 2
  /** By name; of 1.x there is one, `main`. */
  readonly sources: { readonly [name: string]: ValerterSource }
  readonly defaults: ValerterDefaults
  readonly metrics: { readonly enabled?: boolean; readonly port?: number }
  readonly templates: { readonly [name: string]: ValerterTemplate }
  readonly notifiers: { readonly [name: string]: ValerterNotifier }
  readonly rules: { readonly [name: string]: ValerterRule }
}

export interface ValerterSource {
  readonly url: string
  readonly basic_auth?: { readonly username: string; readonly password: string }
  readonly tls?: { readonly verify?: boolean }
}

export interface ValerterThrottle {
  readonly key?: string
  readonly count: number
  readonly window: string
}

export interface ValerterDefaults {
  readonly throttle: ValerterThrottle
  readonly timestamp_timezone?: string
  readonly max_streams?: number
}

export interface ValerterTemplate {
  readonly title: string
  readonly body: string
  readonly email_body_html?: string
  readonly body_format?: 'text' | 'markdown'
}

export interface ValerterNotifier {
  readonly type: string
  readonly subject_template?: string
  readonly body_template?: string
  readonly body_template_file?: string
  readonly [field: string]: unknown
}

export interface ValerterRule {
  readonly enabled?: boolean
  readonly query: string
  readonly parser?: { readonly regex?: string; readonly json?: { readonly fields: readonly string[] } }
  readonly throttle?: ValerterThrottle
  readonly notify: {
    readonly template: string
    readonly destinations: readonly string[]
    readonly mattermost_channel?: string
  }
  readonly vl_sources?: readonly string[]
}

/** The sources of a rule: those that it names, else all. */
export function sourcesOf(rule: ValerterRule, { sources }: ValerterConfig): readonly string[] {
  return rule.vl_sources && rule.vl_sources.length > 0 ? rule.vl_sources : Object.keys(sources)
}
