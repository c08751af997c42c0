import { render } from 'preact'
import { App } from './app.js'
import { startLanguage } from './language.js'
import { run } from './live.js'

// Texts of a further language come from the collector; until then, and without it, the page speaks what it has.
void startLanguage()
render(<App />, document.getElementById('page') as HTMLElement)
run()
