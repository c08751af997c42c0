import type { ConfigProvider } from '../../core/config/index.js'

/** `--config valerter:/etc/valerter/config.yaml`: a Valerter configuration as it is. */
export const valerterProvider: ConfigProvider = {
  scheme: 'valerter',
  usage: 'valerter:PATH',
  read: async (path, environment, formats) => {
    const { readAsTocsin } = await import('./config/provider.js')
    return readAsTocsin(path, environment, formats)
  },
}
