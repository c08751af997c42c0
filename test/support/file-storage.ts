import { testContext } from 'tocsin/testing'
import { FileStorage } from '../../core/extensions/file_storage/file-storage.js'
import { systemClock } from '../../core/service/clock.js'

/** A file_storage outside of a service; start and stop it. */
export function fileStorageIn(directory: string): FileStorage {
  const config = { directory, timeout: '0' }
  return new FileStorage(testContext({ config, clock: systemClock }))
}
