import { useEffect, useRef } from 'preact/hooks'
import { data } from './data.js'
import { chooseLanguage, language } from './language.js'
import { Announcer } from './parts/announcer.js'
import { Icon } from './parts/icon.js'
import { useStore } from './store.js'
import { builtIn, t } from './text.js'
import { AlertView } from './views/alert.js'
import { AlertsView } from './views/alerts.js'
import { NotificationsView } from './views/notifications.js'
import { PipelinesView } from './views/pipelines.js'
import { SignIn } from './views/sign-in.js'
import { SilencesView } from './views/silences.js'

const TABS = ['alerts', 'notifications', 'pipelines', 'silences'] as const

/** The frame: where one is, how the collector is, and the view. */
export function App() {
  useStore(language, ({ code }) => code)
  const route = useStore(data, state => state.route)
  const connection = useStore(data, state => state.connection)
  const active = useStore(data, state => state.activeTotal)
  const main = useRef<HTMLElement>(null)
  const { view, id } = route
  const place = `${view}/${id}`
  const first = useRef(place)
  // Who comes to another view by keyboard or screen reader begins at its top.
  useEffect(() => {
    if (first.current === place) return
    first.current = place
    main.current?.focus()
    scrollTo(0, 0)
  }, [place])
  useEffect(() => {
    const name = view === 'alert' ? t('alert.title') : t(`tab.${view}`)
    document.title = `${active > 0 ? `(${active}) ` : ''}${name} · Tocsin`
  })
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        {t('skip')}
      </button>
      <header class="top">
        <a class="brand" href="#/alerts">
          <Icon name="bell" />
          Tocsin
        </a>
        <nav aria-label={t('navigation')}>
          {TABS.map(tab => (
            <a
              key={tab}
              href={`#/${tab}`}
              aria-current={tab === view || (tab === 'alerts' && view === 'alert') ? 'page' : undefined}
            >
              {t(`tab.${tab}`)}
              {tab === 'alerts' && active > 0 && <span class="badge">{active}</span>}
            </a>
          ))}
        </nav>
        <Health />
        <Switches />
      </header>
      <Announcer />
      <main id="main" ref={main} tabIndex={-1}>
        {connection === 'lost' && <Lost />}
        {connection !== 'lost' && <Stale />}
        {connection === 'denied' ? <SignIn /> : <View view={view} />}
      </main>
    </>
  )
}

function View({ view }: { readonly view: string }) {
  switch (view) {
    case 'alert':
      return <AlertView />
    case 'notifications':
      return <NotificationsView />
    case 'pipelines':
      return <PipelinesView />
    case 'silences':
      return <SilencesView />
    default:
      return <AlertsView />
  }
}

function Lost() {
  const trouble = useStore(data, state => state.trouble)
  return (
    <p class="banner" role="alert">
      <Icon name="warning" /> {t('lost')} {trouble}
    </p>
  )
}

/** The history cannot be read, or what happens waits to be written. */
function Stale() {
  const why = useStore(data, ({ stale, flow, session }) => {
    const history = flow?.extensions.find(({ id }) => id === session?.history)
    return stale || (history?.status === 'recoverable_error' && history.message)
  })
  return why ? (
    <p class="banner" role="alert">
      <Icon name="warning" /> {t('stale')} {why}
    </p>
  ) : null
}

/** How the collector is, in one word. */
function Health() {
  const connection = useStore(data, state => state.connection)
  const status = useStore(data, state => state.flow?.status)
  const session = useStore(data, state => state.session)
  const name = connection === 'live' ? (status ?? 'ok') : connection
  return (
    <div class={`health ${name}`} role="status">
      <span class="dot" />
      <a href="#/pipelines" title={session && `${session.collector}, Tocsin ${session.version}`}>
        {connection === 'live' ? t(`status.${name}`) : t(`connection.${connection}`)}
      </a>
    </div>
  )
}

function Switches() {
  const more = useStore(data, state => state.session?.languages) ?? []
  const code = useStore(language, state => state.code)
  const languages = [...builtIn, ...more.filter(each => !builtIn.some(own => own.code === each.code))]
  return (
    <div class="switches">
      <select
        aria-label={t('language.choose')}
        value={code}
        onChange={event => void chooseLanguage(event.currentTarget.value)}
      >
        {languages.map(each => (
          <option key={each.code} value={each.code} lang={each.code}>
            {each.name}
          </option>
        ))}
      </select>
      <button type="button" class="quiet" onClick={switchTheme} title={t('theme')} aria-label={t('theme')}>
        <Icon name="theme" />
      </button>
    </div>
  )
}

/** To the other of light and dark; to what the system says when that is it. */
function switchTheme(): void {
  const { dataset } = document.documentElement
  const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  const next = (dataset.theme ?? system) === 'dark' ? 'light' : 'dark'
  if (next === system) {
    localStorage.removeItem('tocsin.theme')
    delete dataset.theme
  } else {
    localStorage.setItem('tocsin.theme', next)
    dataset.theme = next
  }
  dispatchEvent(new Event('themechange'))
}
