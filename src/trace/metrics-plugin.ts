/** `GET /metrics`, in Prometheus' text format. */
import type { FastifyInstance } from 'fastify'
import type { Metrics } from './metrics.ts'

export function metricsPlugin(app: FastifyInstance, { metrics }: { readonly metrics: Metrics }): void {
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.registry.contentType)
    return metrics.text()
  })
}
