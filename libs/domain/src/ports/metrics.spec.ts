import { doorMetricsContract } from './door-metrics.port.contract.js';
import { NoDoorMetrics } from './door-metrics.port.js';
import { handlerMetricsContract } from './handler-metrics.port.contract.js';
import { NoHandlerMetrics } from './handler-metrics.port.js';
import { pushMetricsContract } from '../notifications/push-metrics.port.contract.js';
import { NoPushMetrics } from '../notifications/push-metrics.port.js';
import { pipelineMetricsContract } from './pipeline-metrics.port.contract.js';
import { NoPipelineMetrics } from './pipeline-metrics.port.js';

pipelineMetricsContract('that forget', () => new NoPipelineMetrics());
doorMetricsContract('that forget', () => new NoDoorMetrics());
handlerMetricsContract('that forget', () => new NoHandlerMetrics());
pushMetricsContract('that forget', () => new NoPushMetrics());
