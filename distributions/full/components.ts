import type { AnyFactory } from 'tocsin/component'
import { forwardConnector } from '../../core/connectors/forward/index.js'
import { basicAuthExtension } from '../../core/extensions/basicauth/index.js'
import { bearerTokenAuthExtension } from '../../core/extensions/bearertokenauth/index.js'
import { fileStorageExtension } from '../../core/extensions/file_storage/index.js'
import { healthCheckExtension } from '../../core/extensions/health_check/index.js'
import { redisStorageExtension } from '../../core/extensions/redis_storage/index.js'
import { debugExporter } from '../../exporters/debug/index.js'
import { emailExporter } from '../../exporters/email/index.js'
import { fileExporter } from '../../exporters/file/index.js'
import { mattermostExporter } from '../../exporters/mattermost/index.js'
import { otlpExporter } from '../../exporters/otlp/index.js'
import { otlpHttpExporter } from '../../exporters/otlp_http/index.js'
import { redisStreamsExporter } from '../../exporters/redis_streams/index.js'
import { webhookExporter } from '../../exporters/webhook/index.js'
import { batchProcessor } from '../../processors/batch/index.js'
import { filterProcessor } from '../../processors/filter/index.js'
import { memoryLimiterProcessor } from '../../processors/memory_limiter/index.js'
import { parserProcessor } from '../../processors/parser/index.js'
import { statefulAlertProcessor } from '../../processors/stateful_alert/index.js'
import { templateProcessor } from '../../processors/template/index.js'
import { throttleProcessor } from '../../processors/throttle/index.js'
import { transformProcessor } from '../../processors/transform/index.js'
import { demoLogsReceiver } from '../../receivers/demo_logs/index.js'
import { fileLogReceiver } from '../../receivers/file_log/index.js'
import { otlpReceiver } from '../../receivers/otlp/index.js'
import { redisStreamsReceiver } from '../../receivers/redis_streams/index.js'
import { stdinReceiver } from '../../receivers/stdin/index.js'
import { victorialogsReceiver } from '../../receivers/victorialogs/index.js'

/** Every component of this repository. */
export const components: readonly AnyFactory[] = [
  demoLogsReceiver,
  fileLogReceiver,
  otlpReceiver,
  redisStreamsReceiver,
  stdinReceiver,
  victorialogsReceiver,
  batchProcessor,
  filterProcessor,
  memoryLimiterProcessor,
  parserProcessor,
  statefulAlertProcessor,
  templateProcessor,
  throttleProcessor,
  transformProcessor,
  debugExporter,
  emailExporter,
  fileExporter,
  mattermostExporter,
  otlpExporter,
  otlpHttpExporter,
  redisStreamsExporter,
  webhookExporter,
  forwardConnector,
  basicAuthExtension,
  bearerTokenAuthExtension,
  fileStorageExtension,
  healthCheckExtension,
  redisStorageExtension,
]
