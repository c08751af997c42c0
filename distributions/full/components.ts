import type { AnyFactory } from 'tocsin/component'
import { forwardConnector } from '../../core/connectors/forward/index.js'

/** Every component of this repository. */
export const components: readonly AnyFactory[] = [forwardConnector]
