import { data } from './data.js'
import { get } from './http.js'
import { createStore } from './store.js'
import { builtIn, languageInUse, pickLanguage, speakLanguage, type Texts } from './text.js'

const CHOSEN = 'tocsin.language'

/** The language in use: whoever shows text watches it. */
export const language = createStore({ code: 'en' })

/** What was chosen here before, else what the browser asks for. */
export async function startLanguage(): Promise<void> {
  const wanted = [localStorage.getItem(CHOSEN) ?? [], navigator.languages].flat()
  const own = builtIn.map(({ code }) => code)
  speak(pickLanguage(wanted, own))
  const stop = data.watch(() => {
    const { session } = data.get()
    if (!session) return
    stop()
    const best = pickLanguage(wanted, [...own, ...session.languages.map(({ code }) => code)])
    if (best !== languageInUse()) void chooseLanguage(best, false)
  })
}

export async function chooseLanguage(code: string, keep = true): Promise<void> {
  if (keep) localStorage.setItem(CHOSEN, code)
  const isOwn = builtIn.some(each => each.code === code)
  speak(code, isOwn ? undefined : await get<Texts>(`api/languages/${encodeURIComponent(code)}`))
}

function speak(code: string, texts?: Texts): void {
  speakLanguage(code, texts)
  document.documentElement.lang = languageInUse()
  language.set({ code: languageInUse() })
}
