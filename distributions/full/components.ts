import type { FactorySource, LazyFactory } from 'tocsin'
import type { AnyFactory, Kind } from 'tocsin/component'

/**
 * Every component of this repository. Code and libraries of one are loaded when a configuration names it, so that what
 * is not used costs nothing; `test/docs.test.ts` holds the names to the factories.
 */
export const components: readonly FactorySource[] = [
  lazy(
    'receiver',
    'demo_logs',
    async () => (await import('../../receivers/demo_logs/index.js')).demoLogsReceiver,
  ),
  lazy(
    'receiver',
    'file_log',
    async () => (await import('../../receivers/file_log/index.js')).fileLogReceiver,
    ['filelog'],
  ),
  lazy('receiver', 'otlp', async () => (await import('../../receivers/otlp/index.js')).otlpReceiver),
  lazy(
    'receiver',
    'redis_streams',
    async () => (await import('../../receivers/redis_streams/index.js')).redisStreamsReceiver,
  ),
  lazy('receiver', 'stdin', async () => (await import('../../receivers/stdin/index.js')).stdinReceiver),
  lazy(
    'receiver',
    'victorialogs',
    async () => (await import('../../receivers/victorialogs/index.js')).victorialogsReceiver,
  ),
  lazy('processor', 'batch', async () => (await import('../../processors/batch/index.js')).batchProcessor),
  lazy('processor', 'filter', async () => (await import('../../processors/filter/index.js')).filterProcessor),
  lazy(
    'processor',
    'memory_limiter',
    async () => (await import('../../processors/memory_limiter/index.js')).memoryLimiterProcessor,
  ),
  lazy('processor', 'parser', async () => (await import('../../processors/parser/index.js')).parserProcessor),
  lazy(
    'processor',
    'stateful_alert',
    async () => (await import('../../processors/stateful_alert/index.js')).statefulAlertProcessor,
  ),
  lazy(
    'processor',
    'template',
    async () => (await import('../../processors/template/index.js')).templateProcessor,
  ),
  lazy(
    'processor',
    'throttle',
    async () => (await import('../../processors/throttle/index.js')).throttleProcessor,
  ),
  lazy(
    'processor',
    'transform',
    async () => (await import('../../processors/transform/index.js')).transformProcessor,
  ),
  lazy('exporter', 'debug', async () => (await import('../../exporters/debug/index.js')).debugExporter),
  lazy('exporter', 'email', async () => (await import('../../exporters/email/index.js')).emailExporter),
  lazy('exporter', 'file', async () => (await import('../../exporters/file/index.js')).fileExporter),
  lazy(
    'exporter',
    'mattermost',
    async () => (await import('../../exporters/mattermost/index.js')).mattermostExporter,
  ),
  lazy('exporter', 'otlp', async () => (await import('../../exporters/otlp/index.js')).otlpExporter, [
    'otlp_grpc',
  ]),
  lazy(
    'exporter',
    'otlp_http',
    async () => (await import('../../exporters/otlp_http/index.js')).otlpHttpExporter,
    ['otlphttp'],
  ),
  lazy(
    'exporter',
    'redis_streams',
    async () => (await import('../../exporters/redis_streams/index.js')).redisStreamsExporter,
  ),
  lazy(
    'exporter',
    'telegram',
    async () => (await import('../../exporters/telegram/index.js')).telegramExporter,
  ),
  lazy('exporter', 'webhook', async () => (await import('../../exporters/webhook/index.js')).webhookExporter),
  lazy(
    'connector',
    'forward',
    async () => (await import('../../core/connectors/forward/index.js')).forwardConnector,
  ),
  lazy(
    'extension',
    'alert_history',
    async () => (await import('../../core/extensions/alert_history/index.js')).alertHistoryExtension,
  ),
  lazy(
    'extension',
    'alertmanager_api',
    async () => (await import('../../core/extensions/alertmanager_api/index.js')).alertmanagerApiExtension,
  ),
  lazy(
    'extension',
    'basicauth',
    async () => (await import('../../core/extensions/basicauth/index.js')).basicAuthExtension,
  ),
  lazy(
    'extension',
    'bearertokenauth',
    async () => (await import('../../core/extensions/bearertokenauth/index.js')).bearerTokenAuthExtension,
  ),
  lazy(
    'extension',
    'dashboard',
    async () => (await import('../../core/extensions/dashboard/index.js')).dashboardExtension,
  ),
  lazy(
    'extension',
    'file_storage',
    async () => (await import('../../core/extensions/file_storage/index.js')).fileStorageExtension,
  ),
  lazy(
    'extension',
    'health_check',
    async () => (await import('../../core/extensions/health_check/index.js')).healthCheckExtension,
  ),
  lazy(
    'extension',
    'redis_storage',
    async () => (await import('../../core/extensions/redis_storage/index.js')).redisStorageExtension,
  ),
  lazy(
    'extension',
    'valerter_metrics',
    async () => (await import('../../core/extensions/valerter_metrics/index.js')).valerterMetricsExtension,
  ),
]

function lazy(
  kind: Kind,
  type: string,
  load: () => Promise<AnyFactory>,
  aliases: readonly string[] = [],
): LazyFactory {
  return { kind, type, aliases, load }
}
