import { PermanentError } from '../../component/errors.js'

/** Of records whose source is another collector's by now: it will read them again, or has done so. */
export function leaseLost(): PermanentError {
  return new PermanentError('lease_lost', 'Another collector has taken over where these records came from.')
}
