import type { AnyFactory } from 'tocsin/component'
import { forwardConnector } from '../../core/connectors/forward/index.js'
import { basicAuth } from '../../core/extensions/basicauth/index.js'
import { bearerTokenAuth } from '../../core/extensions/bearertokenauth/index.js'
import { fileStorage } from '../../core/extensions/file_storage/index.js'
import { healthCheck } from '../../core/extensions/health_check/index.js'
import { redisStorage } from '../../core/extensions/redis_storage/index.js'
import { debug } from '../../exporters/debug/index.js'
import { email } from '../../exporters/email/index.js'
import { file } from '../../exporters/file/index.js'
import { mattermost } from '../../exporters/mattermost/index.js'
import { otlpExporter } from '../../exporters/otlp/index.js'
import { otlpHttpExporter } from '../../exporters/otlp_http/index.js'
import { webhook } from '../../exporters/webhook/index.js'
import { batchProcessor } from '../../processors/batch/index.js'
import { filter } from '../../processors/filter/index.js'
import { memoryLimiter } from '../../processors/memory_limiter/index.js'
import { parserProcessor } from '../../processors/parser/index.js'
import { statefulAlertProcessor } from '../../processors/stateful_alert/index.js'
import { templateProcessor } from '../../processors/template/index.js'
import { transform } from '../../processors/transform/index.js'
import { demoLogs } from '../../receivers/demo_logs/index.js'
import { fileLog } from '../../receivers/file_log/index.js'
import { otlpReceiver } from '../../receivers/otlp/index.js'
import { stdin } from '../../receivers/stdin/index.js'

/** What alerting on a lookup table needs: ways in, the alert and what prepares records for it, ways out, storage. */
export const components: readonly AnyFactory[] = [
  forwardConnector,
  basicAuth,
  bearerTokenAuth,
  fileStorage,
  healthCheck,
  redisStorage,
  debug,
  email,
  file,
  mattermost,
  otlpExporter,
  otlpHttpExporter,
  webhook,
  batchProcessor,
  filter,
  memoryLimiter,
  parserProcessor,
  statefulAlertProcessor,
  templateProcessor,
  transform,
  demoLogs,
  fileLog,
  otlpReceiver,
  stdin,
]
