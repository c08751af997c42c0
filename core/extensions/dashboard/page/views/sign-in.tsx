import { data } from '../data.js'
import { setToken } from '../http.js'
import { connectAgain } from '../live.js'
import { useStore } from '../store.js'
import { t } from '../text.js'

/** For bearer tokens, which no browser asks for. */
export function SignIn() {
  const refusals = useStore(data, state => state.refusals)
  return (
    <form
      class="panel sign-in"
      onSubmit={event => {
        event.preventDefault()
        setToken(String(new FormData(event.currentTarget).get('token') ?? ''))
        connectAgain()
      }}
    >
      <h1>{t('sign_in')}</h1>
      <label>
        {t('sign_in.token')}
        <input name="token" type="password" autocomplete="current-password" required />
      </label>
      {refusals > 1 && (
        <p class="bad" role="alert">
          {t('sign_in.wrong')}
        </p>
      )}
      <button type="submit" class="primary">
        {t('sign_in')}
      </button>
    </form>
  )
}
