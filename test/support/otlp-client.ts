import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { decodeResponse, decodeStatus, type PartialSuccess, type RpcStatus } from 'tocsin/otlp'

const identity = (bytes: Buffer): Buffer => bytes

export interface GrpcAnswer {
  /** 0 for success. */
  readonly code: number
  readonly message: string
  readonly partial: PartialSuccess | undefined
  readonly status: RpcStatus | undefined
}

export interface GrpcClient {
  call(
    body: Buffer,
    options?: {
      readonly path?: string
      readonly headers?: { readonly [name: string]: string }
      gzip?: boolean
    },
  ): Promise<GrpcAnswer>
  close(): void
}

export const EXPORT = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'

/** A gRPC client that sends and takes plain bytes. */
export function grpcClient(
  address: string,
  {
    creds = credentials.createInsecure(),
    gzip = false,
  }: { creds?: ReturnType<typeof credentials.createInsecure>; gzip?: boolean } = {},
): GrpcClient {
  const client = new Client(address, creds, {
    'grpc.default_compression_algorithm': gzip ? 2 : 0,
    'grpc.max_send_message_length': -1,
    'grpc.use_local_subchannel_pool': 1,
  })
  return {
    call: (body, { path = EXPORT, headers = {} } = {}) => {
      const metadata = new Metadata()
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
      return new Promise(resolve => {
        client.makeUnaryRequest(path, identity, identity, body, metadata, (error, answer) =>
          resolve(
            error
              ? failed(error)
              : {
                  code: 0,
                  message: '',
                  partial: decodeResponse(answer as Buffer, 'proto'),
                  status: undefined,
                },
          ),
        )
      })
    },
    close: () => client.close(),
  }
}

function failed(error: ServiceError): GrpcAnswer {
  const [details] = error.metadata.get('grpc-status-details-bin')
  return {
    code: error.code,
    message: error.details,
    partial: undefined,
    status: details instanceof Buffer ? decodeStatus(details, 'proto') : undefined,
  }
}
