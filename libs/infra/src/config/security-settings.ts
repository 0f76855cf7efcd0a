import { choice, optionalText, secretText } from './setting.js';

const CA_FILE = 'PEM file with the certificates that may sign theirs, if those of Node do not do.';

/** How connections to the engines are encrypted and by whom they are made. Postgres and Redis take theirs from their URL. */
export const SECURITY_SETTINGS = {
  security: {
    kafkaTls: choice('KAFKA_TLS', {
      description: 'Whether connections to Kafka are encrypted, and its certificates checked.',
      options: ['off', 'on'],
      default: 'off',
    }),
    kafkaCaFile: optionalText('KAFKA_TLS_CA_FILE', { description: CA_FILE }),
    kafkaSaslMechanism: choice('KAFKA_SASL_MECHANISM', {
      description: 'How this process logs in to Kafka.',
      options: ['off', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'],
      default: 'off',
    }),
    kafkaSaslUsername: optionalText('KAFKA_SASL_USERNAME', { description: 'Account at Kafka.' }),
    kafkaSaslPassword: secretText('KAFKA_SASL_PASSWORD', { description: 'Its password.', charsMin: 1 }),
    cassandraTls: choice('CASSANDRA_TLS', {
      description: 'Whether connections to Cassandra are encrypted, and its certificates checked.',
      options: ['off', 'on'],
      default: 'off',
    }),
    cassandraCaFile: optionalText('CASSANDRA_TLS_CA_FILE', { description: CA_FILE }),
    redisCaFile: optionalText('REDIS_TLS_CA_FILE', {
      description: `${CA_FILE} For a \`REDIS_URL\` that begins with \`rediss://\`.`,
    }),
  },
} as const;

/** Settings that say nothing without others; a sentence for each. */
export function securityContradictions(given: Readonly<Record<string, string | undefined>>): string[] {
  const problems: string[] = [];
  const needs = (name: string, isMet: boolean, what: string): void => {
    if (given[name] && !isMet) problems.push(`${name} needs ${what}`);
  };
  const sasl = (given.KAFKA_SASL_MECHANISM ?? 'off') !== 'off';
  needs('KAFKA_TLS_CA_FILE', given.KAFKA_TLS === 'on', 'KAFKA_TLS=on');
  needs('CASSANDRA_TLS_CA_FILE', given.CASSANDRA_TLS === 'on', 'CASSANDRA_TLS=on');
  needs('REDIS_TLS_CA_FILE', given.REDIS_URL?.startsWith('rediss:') === true, 'a REDIS_URL that begins with rediss://');
  needs('KAFKA_SASL_USERNAME', sasl, 'KAFKA_SASL_MECHANISM');
  needs('KAFKA_SASL_PASSWORD', sasl, 'KAFKA_SASL_MECHANISM');
  if (sasl && !(given.KAFKA_SASL_USERNAME && given.KAFKA_SASL_PASSWORD)) {
    problems.push('KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD');
  }
  return problems;
}
