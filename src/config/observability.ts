import Joi from 'joi';
import { setting, url } from './setting.js';

/** Where traces go, by the names that OpenTelemetry has for it. */
export const observabilitySettings = {
  otlpEndpoint: setting(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    url('http', 'https').optional() as Joi.Schema<string | undefined>,
    'Collector of OpenTelemetry traces (OTLP over HTTP), as in `http://collector:4318`; see [Traces](#traces).',
    'none: nothing is traced',
  ),
  tracesRatio: setting(
    'OTEL_TRACES_SAMPLER_ARG',
    Joi.number().min(0).max(1).default(1),
    'The share of requests that is traced, from 0 to 1.',
  ),
  otelServiceName: setting(
    'OTEL_SERVICE_NAME',
    Joi.string().default('atrium'),
    'What this service is called in traces.',
  ),
} as const;
