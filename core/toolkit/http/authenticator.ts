import type { ComponentContext } from '../../component/context.js'
import { PermanentError } from '../../component/errors.js'
import type { AuthenticatorExtension } from '../../component/extension.js'
import type { ConfigSchema } from '../../component/schema.js'

/** The configuration of `auth`: the id of an extension. */
export interface AuthConfig {
  readonly authenticator: string
}

/** The schema of an `auth` key. */
export function authSchema(description: string): ConfigSchema {
  return {
    type: 'object',
    description,
    additionalProperties: false,
    required: ['authenticator'],
    properties: {
      authenticator: {
        type: 'string',
        component: 'extension',
        description: 'The id of a basicauth or bearertokenauth extension.',
      },
    },
  }
}

/**
 * The authenticator that an `auth` key names, with the method that is needed. Throws `no_authenticator` when the
 * extension has none for this side.
 */
export function authenticatorOf<M extends 'authenticate' | 'headers'>(
  context: Pick<ComponentContext<unknown>, 'extension'>,
  id: string,
  method: M,
): AuthenticatorExtension & Required<Pick<AuthenticatorExtension, M>> {
  const found = context.extension<AuthenticatorExtension>(id)
  if (typeof found[method] !== 'function') {
    const what = method === 'headers' ? 'prove who an exporter is' : 'say who may send'
    throw new PermanentError('no_authenticator', `The extension ${id} cannot ${what}.`)
  }
  return found as AuthenticatorExtension & Required<Pick<AuthenticatorExtension, M>>
}
